"""From NHS numbers to person ids: a keyed hash, so that the same person is the same one in every feed and nobody without the key can tell who.

A person id is twelve characters (60 bits) of the base32 of HMAC-SHA-256. What does not belong here: where numbers are kept (`vault`), and what an id
is used for.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from fuller_popheath.errors import FileRefused, SettingsWrong
from fuller_popheath.site import PROJECT_ROOT, Site
from fuller_popheath.whole_files import refuse_others

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

KEY_VARIABLE = "FULLER_PSEUDONYM_KEY"
NEW_KEY_VARIABLE = "FULLER_NEW_PSEUDONYM_KEY"
FORMER_FOLDER, FORMER, SWITCHING = "pseudonyms", "former_keys.json", "switching.json"
"""Below the vault: the keys before the one in use, and what stands there while ids of two keys may lie side by side."""
LEAST_BYTES = 16
DEMO_SECRET = b"fuller demo key: for make-believe data only"
NEVER_ISSUED = "9"
"""NHS numbers that begin with 9 are kept for tests (NHS Data Dictionary, NHS NUMBER): with any other the demo key would be no secret."""
ID_LENGTH = 12
WHAT_TO_DO = (
    f"set the environment variable {KEY_VARIABLE} (16 bytes at least, hexadecimal or text), or key_file below [pseudonyms] in site.toml to a file "
    "outside the project"
)


@dataclass(frozen=True)
class PseudonymKey:
    """The secret that person ids are made with; `version` says which, `is_demo` that it is the one everybody knows. It is never shown or stored.

    `former`: the secrets before it, the oldest first. An id is made with the first and made over with each that followed, so that everybody whom an
    older key gave an id has one under the new key, whether or not anything still says who they are (`key_rotation`).
    """

    secret: bytes = field(repr=False)
    version: int = 1
    is_demo: bool = False
    former: tuple[bytes, ...] = field(default=(), repr=False)

    @property
    def fingerprint(self) -> str:
        """Tells two keys apart without telling either."""
        before = "".join(f":{check_of(secret)}" for secret in self.former)
        return hmac.digest(self.secret, f"fingerprint:{self.version}{before}".encode(), "sha256").hex()[:16]

    def person_id(self, message: str) -> str:
        """The id for `nhs:<number>`, `local:<scope>|<patient id>` or `row:<content hash>|<row>`."""
        first, *others = (*self.former, self.secret)
        made = _letters(first, message)
        for secret in others:
            made = made_over(secret, made)
        return made


def made_over(secret: bytes, person_id: str) -> str:
    """The id under the key that followed, of somebody who had this one under the key before."""
    return _letters(secret, f"rotated:{person_id}")


def check_of(secret: bytes) -> str:
    """By what a secret is known again without being told."""
    return hmac.digest(secret, b"which key", "sha256").hex()[:16]


def _letters(secret: bytes, message: str) -> str:
    return base64.b32encode(hmac.digest(secret, message.encode(), "sha256")[:10])[:ID_LENGTH].decode().lower()


@dataclass(frozen=True)
class Pseudonymised:
    """Of each row the person's id (dictionary-encoded) and whether it comes from an NHS number."""

    person_id: pa.DictionaryArray
    is_linked: np.ndarray


def key(site: Site, environment: Mapping[str, str]) -> PseudonymKey:
    """The key in use: of the environment, else of the key file, else the demo key; with those before it, where it was rotated.

    Raises SettingsWrong for a key that is too short, for a key file that cannot be read, lies inside the project, or others can read, and where the
    key is not the one that the store was last rotated to.
    """
    given = environment.get(KEY_VARIABLE, "").strip()
    if given:
        plain = PseudonymKey(_secret(given, f"the environment variable {KEY_VARIABLE}"), site.pseudonyms.key_version)
    elif site.pseudonyms.key_file:
        plain = PseudonymKey(_secret(_from_file(Path(site.pseudonyms.key_file)), "the key file"), site.pseudonyms.key_version)
    else:
        plain = demo_key()
    return with_former(plain, site.folder("vault"))


def with_former(plain: PseudonymKey, vault: Path) -> PseudonymKey:
    """The key with those that it followed, as the vault has them. Raises SettingsWrong as `key` does for a key that was not rotated to."""
    folder = vault / FORMER_FOLDER
    if (folder / SWITCHING).is_file():
        raise SettingsWrong("a rotation of the key was interrupted, and ids of both keys may lie side by side; run fuller rotate-key again")
    if not (folder / FORMER).is_file():
        return plain
    told = json.loads((folder / FORMER).read_text(encoding="ascii"))
    if check_of(plain.secret) != told["current"]:
        raise SettingsWrong(
            "the key that is set is not the one that the store was rotated to: set the new key where the old one stood (the environment variable "
            f"{KEY_VARIABLE}, or key_file below [pseudonyms] in site.toml)"
        )
    former = tuple(bytes.fromhex(secret) for secret in told["former"])
    return PseudonymKey(plain.secret, max(plain.version, int(told["version"])), former=former)


def new_key(environment: Mapping[str, str], file: str = "") -> bytes:
    """The secret to rotate to: of the file, else of the environment. Raises SettingsWrong as `key` does, and where there is none."""
    given = _from_file(Path(file)) if file else environment.get(NEW_KEY_VARIABLE, "").strip()
    if not given:
        raise SettingsWrong(f"there is no new key: set {NEW_KEY_VARIABLE}, or name a file outside the project with --new-key-file")
    return _secret(given, "the file of the new key" if file else f"the environment variable {NEW_KEY_VARIABLE}")


def demo_key() -> PseudonymKey:
    """The key that everybody knows, which is taken for make-believe people alone."""
    return PseudonymKey(DEMO_SECRET, version=0, is_demo=True)


def _from_file(path: Path) -> str:
    whole = (path if path.is_absolute() else PROJECT_ROOT / path).resolve()
    if whole.is_relative_to(PROJECT_ROOT):
        raise SettingsWrong("pseudonyms.key_file lies inside the project, where it would be copied along with it; move it elsewhere")
    refuse_others(whole, "pseudonyms.key_file")
    try:
        return whole.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise SettingsWrong("pseudonyms.key_file cannot be read; check its path and that this user may read it") from None


def _secret(text: str, where: str) -> bytes:
    try:
        secret = bytes.fromhex(text)
    except ValueError:
        secret = text.encode()
    if len(secret) < LEAST_BYTES:
        raise SettingsWrong(f"the key in {where} is shorter than {LEAST_BYTES} bytes, so it could be found by trying; take a longer one")
    return secret


def pseudonymise(
    using: PseudonymKey,
    nhs_number: pa.Array | pa.ChunkedArray,
    patient_id: pa.Array | pa.ChunkedArray,
    scope: pa.Array | pa.ChunkedArray,
    row_names: tuple[str, np.ndarray],
    data_is_synthetic: bool,
) -> Pseudonymised:
    """The person of each row: by NHS number (a valid one or null), else by the sender's own number within its `scope`, else the row is somebody.

    `row_names`: the extract's content hash, and the number of each row in it. Raises SettingsWrong where the demo key would stand for
    people who may be real, FileRefused where two NHS numbers get one id.
    """
    import numpy as np
    import pyarrow as pa

    numbers, at = _coded(nhs_number)
    is_linked = at >= 0
    alone = np.flatnonzero(~is_linked)
    people, which = _local(patient_id, scope, row_names, alone) if len(alone) else ([], at[:0])
    refuse_demo_key(using, numbers, len(people), data_is_synthetic)
    ids = [using.person_id(f"nhs:{number}") for number in numbers]
    if len(set(ids)) < len(ids):
        raise FileRefused("two NHS numbers of one extract would get one person id; raise pseudonyms.key_version and take a new key")
    person = at.astype(np.int64)
    person[alone] = which + len(ids)
    ids += [using.person_id(message) for message in people]
    return Pseudonymised(pa.DictionaryArray.from_arrays(pa.array(person.astype(np.int32)), pa.array(ids, pa.string())), is_linked)


def refuse_demo_key(using: PseudonymKey, numbers: Sequence[str], without: int, data_is_synthetic: bool) -> None:
    """Raises SettingsWrong where there is only the demo key for people who may be real.

    They may be where a number is none of the test numbers; and, unless the site says that it is make-believe, where more people came `without` a
    number than with one: a single test number among them tells nothing about the others.
    """
    if not using.is_demo:
        return
    issued = sum(not number.startswith(NEVER_ISSUED) for number in numbers)
    if issued:
        raise SettingsWrong(f"{issued:,} NHS numbers may be real people's, and there is no key to make person ids with: {WHAT_TO_DO}")
    if without > len(numbers) and not data_is_synthetic:
        raise SettingsWrong(
            f"{without:,} people came without an NHS number and {len(numbers):,} with one, and there is no key to make person ids with: "
            f"{WHAT_TO_DO}; "
            "or, for make-believe data, put data_is_synthetic = true below [pseudonyms]"
        )


def _coded(column: pa.Array | pa.ChunkedArray) -> tuple[list[str], np.ndarray]:
    """The distinct values that occur, and of each row which it has (-1: null)."""
    import numpy as np
    import pyarrow as pa

    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    whole = whole if isinstance(whole, pa.Array) else pa.concat_arrays(whole.chunks)
    coded = whole if pa.types.is_dictionary(whole.type) else whole.dictionary_encode()
    at = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    used, again = np.unique(at, return_inverse=True)
    values = coded.dictionary.take(pa.array(used[used >= 0])).to_pylist()
    return values, again - int(used.size > 0 and used[0] < 0)


def _local(
    patient_id: pa.Array | pa.ChunkedArray, scope: pa.Array | pa.ChunkedArray, row_names: tuple[str, np.ndarray], alone: np.ndarray
) -> tuple[list[str], np.ndarray]:
    """What the ids of people without NHS number are made from, and which of them each of the rows `alone` is."""
    import numpy as np

    patients, patient_at = _coded(patient_id)
    scopes, scope_at = _coded(scope)
    content_hash, row_numbers = row_names
    patient_at, scope_at = patient_at[alone], scope_at[alone]
    named, nameless = np.flatnonzero(patient_at >= 0), np.flatnonzero(patient_at < 0)
    pairs, among = np.unique(scope_at[named].astype(np.int64) * (len(patients) + 1) + patient_at[named], return_inverse=True)
    people = [f"local:{scopes[pair // (len(patients) + 1)]}|{patients[pair % (len(patients) + 1)]}" for pair in pairs.tolist()]
    which = np.zeros(len(alone), np.int64)
    which[named] = among
    which[nameless] = len(people) + np.arange(len(nameless))
    return people + [f"row:{content_hash}|{row}" for row in row_numbers[alone][nameless].tolist()], which
