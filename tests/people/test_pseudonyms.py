"""Person ids: the same person the same one everywhere, nobody without the key can make one, and no key is no way in for real people."""

from __future__ import annotations

import base64
import hashlib
import hmac
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings

from fuller_popheath.errors import SettingsWrong
from fuller_popheath.people.pseudonyms import DEMO_SECRET, KEY_VARIABLE, PseudonymKey, key, pseudonymise
from fuller_popheath.site import PROJECT_ROOT, Site

SECRET = b"0123456789abcdef"
KEY = PseudonymKey(SECRET)


def _made(numbers: list[str | None], patients: list[str | None], scopes: list[str], using: PseudonymKey = KEY, synthetic: bool = True) -> Any:
    return pseudonymise(
        using,
        pa.array(numbers, pa.string()),
        pa.array(patients, pa.string()),
        pa.array(scopes, pa.string()),
        ("hash", np.arange(len(numbers))),
        synthetic,
    )


def _by_hand(message: str) -> str:
    return base64.b32encode(hmac.new(SECRET, message.encode(), hashlib.sha256).digest()).decode().lower()[:12]


def test_an_id_is_the_first_twelve_characters_of_the_hmac_in_base32() -> None:
    made = _made(["9990000018", None, None], ["p1", "p1", None], ["P81001", "P81001", "P81001"])
    assert made.person_id.to_pylist() == [_by_hand("nhs:9990000018"), _by_hand("local:P81001|p1"), _by_hand("row:hash|2")]
    assert made.is_linked.tolist() == [True, False, False]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([None, "9990000018", "9990000026"]), st.sampled_from([None, "p1", "p2"]), st.sampled_from(["A", "B"])), max_size=30
    )
)
def test_two_rows_are_one_person_exactly_where_a_number_says_so(rows: list[tuple[str | None, str | None, str]]) -> None:
    made = _made([r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows])
    names = [("nhs", n) if n else ("local", s, p) if p else ("row", at) for at, (n, p, s) in enumerate(rows)]
    ids = made.person_id.to_pylist()
    assert all((ids[i] == ids[j]) == (names[i] == names[j]) for i in range(len(rows)) for j in range(i))
    assert made.is_linked.tolist() == [n is not None for n, _, _ in rows]


def test_the_demo_key_is_for_test_numbers_and_for_what_is_called_synthetic() -> None:
    demo = key(Site(), {})
    assert demo.is_demo and demo.secret == DEMO_SECRET
    _made(["9990000018"], ["p"], ["A"], demo, synthetic=False)
    with pytest.raises(SettingsWrong, match=f"1 NHS numbers may be real people's.*{KEY_VARIABLE}"):
        _made(["4010232137", "9990000018"], ["p", "q"], ["A", "A"], demo)
    with pytest.raises(SettingsWrong, match=r"data_is_synthetic = true"):
        _made([None], ["p"], ["A"], demo, synthetic=False)
    _made([None], ["p"], ["A"], demo, synthetic=True)


def test_the_key_comes_from_the_environment_or_a_file_outside_the_project(tmp_path: Path) -> None:
    assert key(Site(), {KEY_VARIABLE: SECRET.hex()}).secret == SECRET
    assert key(Site(pseudonyms={"key_version": 3}), {KEY_VARIABLE: "a text of sixteen bytes"}).version == 3
    (tmp_path / "key").write_text(f"{SECRET.hex()}\n")
    (tmp_path / "key").chmod(0o600)
    assert key(Site(pseudonyms={"key_file": str(tmp_path / "key")}), {}).secret == SECRET
    for wrong, said in ((str(PROJECT_ROOT / "key"), "inside the project"), (str(tmp_path / "none"), "cannot be read")):
        with pytest.raises(SettingsWrong, match=said):
            key(Site(pseudonyms={"key_file": wrong}), {})
    with pytest.raises(SettingsWrong, match="shorter than 16 bytes"):
        key(Site(), {KEY_VARIABLE: "short"})


def test_a_key_is_never_shown_and_versions_differ() -> None:
    assert "0123456789abcdef" not in repr(KEY)
    assert KEY.fingerprint not in (PseudonymKey(SECRET, 2).fingerprint, PseudonymKey(b"another secret, long").fingerprint)


def test_one_test_number_does_not_let_people_without_numbers_in() -> None:
    """At least half must have a number, or the others may be anybody."""
    demo = key(Site(), {})
    _made(["9990000018", None], ["p", "q"], ["A", "A"], demo, synthetic=False)
    _made(["9990000018", None, None], ["p", "q", "q"], ["A", "A", "A"], demo, synthetic=False)
    for patients in (["p", "q", "r"], ["p", None, None]):
        with pytest.raises(SettingsWrong, match="2 people came without an NHS number and 1 with one"):
            _made(["9990000018", None, None], patients, ["A", "A", "A"], demo, synthetic=False)
    _made(["9990000018", None, None], ["p", "q", "r"], ["A", "A", "A"], demo, synthetic=True)
