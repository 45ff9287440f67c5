"""The passwords of lists' workbooks, one a team, and how a workbook is encrypted with one: in memory, so that nothing readable is ever on a disk.

What Excel and LibreOffice open is ECMA-376 agile encryption: AES-256, with a key that 100,000 rounds of SHA-512 make from the password
([MS-OFFCRYPTO] 2.3.4.10 to 2.3.4.15), here by msoffcrypto-tool. A password is never shown, stored or told. What does not belong here: what is in
a workbook.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from fuller_popheath.errors import SettingsWrong
from fuller_popheath.site import PROJECT_ROOT, Site

PASSWORD_VARIABLE = "FULLER_LIST_PASSWORD_"
LEAST_CHARACTERS, MOST_CHARACTERS = 12, 255
"""Shorter ones can be found by trying; longer ones Excel does not take."""
WHAT_TO_DO = (
    'write a line "team_id=password" for each team into lists.passwords_file (site.toml), a file outside the project that its owner alone can read '
    f"(chmod 600), or set the environment variable {PASSWORD_VARIABLE}<TEAM>; or, where only the team can open the folder, put "
    "folder_is_access_controlled = true below [lists]"
)
_READABLE_BY_OTHERS = 0o077


@dataclass(frozen=True)
class Passwords:
    """Each team's password by team id, and where a practice has one of its own, that by "team_id/practice_code"."""

    of: Mapping[str, str] = field(repr=False)

    def find(self, team_id: str, practice_code: str = "") -> str:
        """The password of a practice's workbook, or of its team's where it has none of its own."""
        return self.of.get(f"{team_id}/{practice_code}", "") or self.of[team_id]


def passwords(site: Site, environment: Mapping[str, str], team_ids: Iterable[str]) -> Passwords | None:
    """The passwords of these teams' workbooks; None where the folder is access-controlled and nothing is encrypted.

    The environment comes before the file; in a variable's name every sign of a team id that is no letter or digit is an underscore. Raises
    SettingsWrong, with counts and never a password, where a team has none or a weak one, two have the same, or the file cannot be used.
    """
    if site.lists.folder_is_access_controlled:
        return None
    teams = sorted(set(team_ids))
    held = _from_file(site.lists.passwords_file) if site.lists.passwords_file else {}
    names = {team: PASSWORD_VARIABLE + _in_a_variable(team) for team in teams}
    if double := sum(many for many in Counter(names.values()).values() if many > 1):
        raise SettingsWrong(f"{double} teams would share a variable {PASSWORD_VARIABLE}<TEAM>; give them ids that differ in letters or digits")
    held |= {team: environment[name].strip() for team, name in names.items() if environment.get(name, "").strip()}
    if missing := sum(team not in held for team in teams):
        raise SettingsWrong(f"{missing} of {len(teams)} teams have no password, and their workbooks would lie open to others: {WHAT_TO_DO}")
    used = {name: password for name, password in held.items() if name.partition("/")[0] in set(teams)}
    if weak := sum(not LEAST_CHARACTERS <= len(password) <= MOST_CHARACTERS for password in used.values()):
        raise SettingsWrong(
            f"{weak} of {len(used)} passwords have fewer than {LEAST_CHARACTERS} characters, or more than {MOST_CHARACTERS}; give each team one "
            "that nobody can guess, as four words drawn by lot"
        )
    if shared := sum(many for many in Counter(used.values()).values() if many > 1):
        raise SettingsWrong(f"{shared} passwords are the same as another: then one team could open what is another's; give each its own")
    return Passwords(used)


def with_team_password(held: Passwords, practices: Iterable[tuple[str, str]]) -> int:
    """How many practices' workbooks, of (team_id, practice_code), open with their team's password: whoever has it can read their NHS numbers."""
    return sum(not held.of.get(f"{team}/{practice}") for team, practice in set(practices))


def encrypted(workbook: bytes, password: str) -> bytes:
    """The workbook as one that opens with its password only. Other bytes each time: salts are drawn by the system."""
    from msoffcrypto.format.ooxml import OOXMLFile

    made = BytesIO()
    OOXMLFile(BytesIO(workbook)).encrypt(password, made)
    return made.getvalue()


def _in_a_variable(team_id: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "_", team_id).upper()


def _from_file(name: str) -> dict[str, str]:
    path = Path(name)
    whole = (path if path.is_absolute() else PROJECT_ROOT / path).resolve()
    if whole.is_relative_to(PROJECT_ROOT):
        raise SettingsWrong("lists.passwords_file lies inside the project, where it would be copied along with it; move it elsewhere")
    try:
        if whole.stat().st_mode & _READABLE_BY_OTHERS:
            raise SettingsWrong("lists.passwords_file can be read by others than its owner; take their rights away: chmod 600")
        lines = [line.strip() for line in whole.read_text(encoding="utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError):
        raise SettingsWrong("lists.passwords_file cannot be read; check its path, that it is UTF-8, and that this user may read it") from None
    pairs = [line.partition("=") for line in lines if line and not line.startswith("#")]
    if wrong := sum(not (team.strip() and sign and password.strip()) for team, sign, password in pairs):
        raise SettingsWrong(f"{wrong} lines of lists.passwords_file are not team_id=password; mend them, or put # before what is no password")
    found = Counter(team.strip() for team, _, _ in pairs)
    if double := sum(many > 1 for many in found.values()):
        raise SettingsWrong(f"lists.passwords_file has two lines for {double} teams; keep one each")
    return {team.strip(): password.strip() for team, _, password in pairs}
