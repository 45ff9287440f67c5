"""A release tells when it is not what was signed: a changed, missing or added file, a changed manifest, another key, and none."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fuller_popheath.contracts import load_contract
from fuller_popheath.contracts.loading import CONTRACTS_FOLDER
from fuller_popheath.errors import FileRefused, InputMissing, SettingsWrong
from fuller_popheath.publish.release import Part, release
from fuller_popheath.publish.release_manifest import (
    Place,
    Statement,
    code_in_use,
    contract_hashes,
    hash_of,
    other_place,
    place_of,
    refuse_changed,
    refuse_other_place,
    verify,
)
from fuller_popheath.publish.release_signature import PublicKey, SigningKey, public_key, signing_key, trusted_key

DAY = date(2026, 8, 1)
STATEMENT = Statement(DAY, "1a2b", models=("adult-1",), contracts={"products/core20_by_pcn": "0" * 64}, place=Place("QE1", "abc"))


@pytest.fixture
def made(tmp_path: Path) -> tuple[Path, SigningKey]:
    key = signing_key(tmp_path / "vault")
    parts = [Part(purpose, f"{purpose}.csv", lambda path: path.write_text("a\n1\n", encoding="utf-8"), 1) for purpose in ("open", "direct_care")]
    return release(tmp_path / "products", tmp_path / "releases", STATEMENT, parts, key).folder, key


def bend(path: Path, what: bytes = b"1") -> None:
    path.write_bytes(path.read_bytes().replace(what, what.replace(b"1", b"2")))


def outside(folder: Path) -> None:
    """A file of the release is a link to another."""
    (folder / "open" / "open.csv").rename(folder.parent / "kept.csv")
    (folder / "open" / "open.csv").symlink_to(folder.parent / "kept.csv")


ATTACKS: dict[str, tuple[Callable[[Path], object], str]] = {
    "a file is changed": (lambda folder: bend(folder / "open" / "open.csv"), "open/open.csv was changed"),
    "a file is longer": (lambda folder: (folder / "open" / "open.csv").write_text("a\n1\n1\n", encoding="utf-8"), "open/open.csv was changed"),
    "a file is gone": (lambda folder: (folder / "direct_care" / "direct_care.csv").unlink(), "direct_care/direct_care.csv is missing"),
    "a file is added": (lambda folder: (folder / "open" / "more.csv").write_text("a", encoding="utf-8"), "open/more.csv was added"),
    "a file is a link": (outside, "open/open.csv is missing"),
    "a hidden file is added": (lambda folder: (folder / ".more").write_text("a", encoding="utf-8"), ".more was added"),
    "the manifest is changed": (lambda folder: bend(folder / "manifest.json", b'"rows": 1'), "its manifest was changed after it was signed"),
    "the signature is changed": (lambda folder: (folder / "manifest.sig").write_text("AAAA", encoding="utf-8"), "its manifest was changed"),
    "the signature is no text": (lambda folder: (folder / "manifest.sig").write_bytes(b"\xff\xfe"), "its manifest was changed"),
    "the signature is gone": (lambda folder: (folder / "manifest.sig").unlink(), "it is not signed"),
    "the manifest is half": (lambda folder: (folder / "manifest.json").write_text('{"as_of"', encoding="utf-8"), "no manifest that can be read"),
}


def test_a_release_says_what_it_was_made_of(made: tuple[Path, SigningKey]) -> None:
    folder, key = made
    found = verify(folder, key.public)
    assert found.is_good and found.manifest is not None
    told = dict(found.manifest)
    assert (told["as_of"], told["people_as_of"], told["kind"], told["models"]) == ("2026-08-01", "2026-08-01", "night", ["adult-1"])
    assert (told["signed_by"], told["place"]) == (key.public.name, {"icb": "QE1", "landing": "abc"})
    assert [(file["file"], file["rows"], len(file["sha256"])) for file in told["files"]] == [
        ("open/open.csv", 1, 64), ("direct_care/direct_care.csv", 1, 64),
    ]  # fmt: skip
    assert str(folder.parent) not in (folder / "manifest.json").read_text(encoding="utf-8")
    assert refuse_changed(folder, key.public) == told


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_release_that_was_tampered_with_is_refused(made: tuple[Path, SigningKey], attack: str) -> None:
    folder, key = made
    do, words = ATTACKS[attack]
    do(folder)
    found = verify(folder, key.public)
    assert not found.is_good and words in found.words
    with pytest.raises(FileRefused, match="cannot be used"):
        refuse_changed(folder, key.public)


def test_a_forged_release_with_a_key_of_its_own_is_found_by_whoever_holds_the_vault(made: tuple[Path, SigningKey], tmp_path: Path) -> None:
    folder, key = made
    forger = SigningKey(Ed25519PrivateKey.generate())
    parts = [Part("open", "open.csv", lambda path: path.write_text("a\n9\n", encoding="utf-8"), 1)]
    release(tmp_path / "products", folder.parent, replace(STATEMENT, run="forged"), parts, forger)
    forged = folder.parent / "2026-08-01_forged"
    assert public_key(folder.parent).name == forger.public.name, "the forger can replace the key beside the releases"
    assert verify(forged, public_key(folder.parent)).is_good
    trusted = trusted_key(tmp_path / "vault", folder.parent)
    assert trusted.name == key.public.name and "another key than this site's" in verify(forged, trusted).words


def test_the_key_beside_the_releases_is_enough_without_the_vault(made: tuple[Path, SigningKey], tmp_path: Path) -> None:
    folder, _ = made
    shutil.rmtree(tmp_path / "vault")
    assert verify(folder, trusted_key(tmp_path / "vault", folder.parent)).is_good
    (folder.parent / "public_key.pem").write_text("no key", encoding="utf-8")
    with pytest.raises(FileRefused, match="no Ed25519 key"):
        public_key(folder.parent)
    (folder.parent / "public_key.pem").unlink()
    with pytest.raises(InputMissing, match="beside the releases"):
        trusted_key(tmp_path / "vault", folder.parent)


def test_signatures_are_those_of_rfc_8032() -> None:
    """RFC 8032, section 7.1, test 2: the message 0x72."""
    secret = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
    public = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    key = SigningKey(Ed25519PrivateKey.from_private_bytes(secret))
    assert key.public.key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw) == public
    signature = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    assert base64.b64decode(key.sign(b"\x72")).hex() == signature
    assert key.public.has_signed(b"\x72", key.sign(b"\x72")) and not key.public.has_signed(b"\x73", key.sign(b"\x72"))
    assert isinstance(key.public, PublicKey)


def test_what_it_was_made_with(tmp_path: Path) -> None:
    ((name, digest),) = contract_hashes(["products/core20_by_pcn"]).items()
    assert digest == hash_of(CONTRACTS_FOLDER / f"{name}.yaml") and load_contract(name).id == name
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "pipelines" / "a.py").write_text("1", encoding="utf-8")
    (tmp_path / ".git" / "refs" / "heads").mkdir(parents=True)
    (tmp_path / ".git" / "HEAD").write_text("ref: refs/heads/main\n", encoding="utf-8")
    first = code_in_use(tmp_path)
    assert first["commit"] is None
    (tmp_path / ".git" / "packed-refs").write_text("# pack-refs\n" + "a" * 40 + " refs/heads/main\n", encoding="utf-8")
    assert code_in_use(tmp_path)["commit"] == "a" * 40
    (tmp_path / ".git" / "refs" / "heads" / "main").write_text("b" * 40 + "\n", encoding="utf-8")
    (tmp_path / "pipelines" / "a.py").write_text("2", encoding="utf-8")
    second = code_in_use(tmp_path)
    assert second["commit"] == "b" * 40 and second["sources"] != first["sources"] and second["version"] == first["version"]


def test_another_place_is_not_mixed_in(tmp_path: Path) -> None:
    own = place_of("QE1", tmp_path)
    told = json.loads(json.dumps(replace(STATEMENT, place=own).told()))
    assert other_place(told, own) == "" and other_place({}, own) == "", "a release from before they were signed does not say"
    for other, words in ((place_of("QOP", tmp_path), "QE1, and this run of QOP"), (place_of("QE1", tmp_path / "b"), "another landing folder")):
        with pytest.raises(SettingsWrong, match=words):
            refuse_other_place(told, other)
