"""Delivery: each recipient's own files of the current release into their folder, once, with a receipt.

Everything is judged before the first file is written: the release against its manifest, the register against the release, and what lies open against
whose folder it is. A recipient that is not in the register of site.toml is sent nothing; whole tables of people go to nobody. What does not belong
here: how bytes get into a folder (`delivery_folders.py`), and making a release.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from fuller_popheath.errors import ContractBroken, FileRefused, InputMissing, SettingsWrong
from fuller_popheath.publish.delivery_folders import RecipientFolder, open_folders
from fuller_popheath.publish.delivery_receipts import FOUND, SENT, Receipt, Receipts
from fuller_popheath.publish.lists import CSV, XLSX, file_name
from fuller_popheath.publish.release import current_release
from fuller_popheath.publish.release_manifest import MANIFEST, refuse_changed
from fuller_popheath.publish.release_signature import PublicKey
from fuller_popheath.site import Site
from fuller_popheath.site_delivery import DIRECT_CARE, Recipient
from fuller_popheath.specs import Night

ACCOUNT_FILE = f"{DIRECT_CARE}/cohort_list_account.parquet"
ENCRYPTED = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""How an encrypted workbook begins: a compound file, as [MS-OFFCRYPTO] 2.3.4.10 has it. One that is not encrypted is a zip."""
NUMBER = "nhs_number"


@dataclass(frozen=True)
class Verified:
    """A release as it was signed: `files` by name below the folder, as they were read; `hash` of the manifest.

    `as_of`: the day its products are about; `newest_day`: the last whose deaths, departures and objections its lists know; `when` it was made.
    """

    folder: Path
    as_of: date
    newest_day: date
    when: str
    hash: str
    purposes: Mapping[str, str]
    files: Mapping[str, bytes] = field(repr=False)

    @property
    def name(self) -> str:
        """What the release is called."""
        return self.folder.name


@dataclass(frozen=True)
class Parcel:
    """One file for one recipient, and whether they have it already."""

    recipient: str
    file: str
    content: bytes = field(repr=False)
    is_there: bool = False

    @property
    def sha256(self) -> str:
        """The hash of what is in it."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def name(self) -> str:
        """What it is called in the recipient's folder."""
        return self.file.rpartition("/")[2]


@dataclass(frozen=True)
class Plan:
    """What would be sent: the release, every recipient's files, and each recipient's folder."""

    release: Verified
    parcels: tuple[Parcel, ...]
    folders: Mapping[str, RecipientFolder] = field(repr=False)

    @property
    def to_send(self) -> tuple[Parcel, ...]:
        """The files that their recipients do not have yet."""
        return tuple(parcel for parcel in self.parcels if not parcel.is_there)


@dataclass(frozen=True)
class Delivered:
    """What became of a plan. `failed`: for each recipient whose folder could not be written, why, without a value; what was not sent is sent next."""

    receipts: tuple[Receipt, ...]
    already_count: int
    failed: Mapping[str, str]


def verified(products: Path, key: PublicKey) -> Verified:
    """The current release, as it was signed: the manifest by the site's key, every file by the manifest, and no other file beside them.

    Raises InputMissing where there is none, FileRefused where it is not as it was signed.
    """
    folder = current_release(products)
    if folder is None:
        raise InputMissing("there is no release to deliver; run a night first (fuller refresh)")
    told = refuse_changed(folder, key)
    # What is sent is what was read here, whatever becomes of the files meanwhile.
    files = {file["file"]: (folder / file["file"]).read_bytes() for file in told["files"]}
    if changed := sum(hashlib.sha256(files[file["file"]]).hexdigest() != file["sha256"] for file in told["files"]):
        raise FileRefused(f"{changed} files of the release {folder.name} were changed while they were read; nothing is delivered")
    purposes = {file["file"]: str(file["purpose"]) for file in told["files"]}
    as_of, newest_day = (date.fromisoformat(told[name]) for name in ("as_of", "people_as_of"))
    of_manifest = hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
    return Verified(folder, as_of, newest_day, str(told.get("when", "")), of_manifest, purposes, files)


def planned(release: Verified, site: Site, neighbourhood_of: Mapping[str, str], receipts: Sequence[Receipt], only: Sequence[str] = ()) -> Plan:
    """What every recipient of the register is sent of a release; nothing is written. `only`: of these recipients alone.

    `neighbourhood_of`: practice code to neighbourhood code on the day of the release. Raises SettingsWrong for a recipient that is not in the
    register, whose team or practice does not match the release, whose folder is not theirs alone, or where something would lie open;
    ContractBroken for a release that somebody has had a newer one than.
    """
    register = dict(site.delivery.recipients)
    if unknown := [name for name in only if name not in register]:
        raise SettingsWrong(f"{len(unknown)} recipients are not in the register: add them below [delivery] of site.toml, or correct the name")
    folders = open_folders(register, site)
    teams = _teams(release)
    wanted: list[Parcel] = []
    for name, recipient in register.items():
        _refuse_mismatch(name, recipient, teams, neighbourhood_of)
        own = [*_lists(name, recipient, release, teams, site), *_products(name, recipient, release)]
        _refuse_open(name, recipient, own, release)
        wanted += own
    wanted = [parcel for parcel in wanted if not only or parcel.recipient in only]
    _refuse_replay(release, receipts, {parcel.recipient for parcel in wanted})
    had = {(receipt.recipient, receipt.file, receipt.sha256) for receipt in receipts}
    parcels = [Parcel(each.recipient, each.file, each.content, (each.recipient, each.file, each.sha256) in had) for each in wanted]
    return Plan(release, tuple(parcels), folders)


def deliver(plan: Plan, receipts: Receipts, run: str, when: str) -> Delivered:
    """Send what is not there yet, a receipt after each file. Only while the receipts are `locked`.

    A copy in the folder that somebody has written into stays: the new one lies beside it under a name of its own. A folder that cannot be written
    stops its own recipient's files only.
    """
    made: list[Receipt] = []
    failed: dict[str, str] = {}
    before = {(receipt.recipient, receipt.sent_as): receipt.sha256 for receipt in receipts.all()}
    release = plan.release
    for parcel in plan.to_send:
        if parcel.recipient in failed:
            continue
        folder = plan.folders[parcel.recipient]
        try:
            sent_as, is_there = _free_name(parcel, folder, before)
            if not is_there:
                folder.write(sent_as, parcel.content)
        except Exception as wrong:  # of whichever file system: its text may name an account, its kind does not
            failed[parcel.recipient] = (
                f"its folder could not be written ({type(wrong).__name__}): see that it is there and has room, then run fuller deliver"
            )
            continue
        made_by = (release.name, release.newest_day.isoformat(), release.when, release.hash)
        told = (*made_by, parcel.recipient, parcel.file, sent_as, parcel.sha256, len(parcel.content))
        receipt = Receipt(when, run, *told, FOUND if is_there else SENT)
        receipts.add(receipt)
        made.append(receipt)
        before[parcel.recipient, sent_as] = parcel.sha256
    return Delivered(tuple(made), len(plan.parcels) - len(plan.to_send), failed)


def _free_name(parcel: Parcel, folder: RecipientFolder, before: Mapping[tuple[str, str], str]) -> tuple[str, bool]:
    """The name to send it under, and whether this very content lies there under it already."""
    stem, _, ending = parcel.name.rpartition(".")
    name, number = parcel.name, 1
    while (found := folder.hash_of(name)) is not None:
        if found == parcel.sha256:
            return name, True
        if found == before.get((parcel.recipient, name)):
            return name, False  # ours, and nobody has touched it: the newer one takes its place
        number += 1
        name = f"{stem}_{number}.{ending}"
    return name, False


def _teams(release: Verified) -> dict[str, Mapping[str, Any]]:
    """The teams of the release, by id, as its account of lists tells. Raises ContractBroken where a team has two lists in one release."""
    import pyarrow.parquet as pq

    if ACCOUNT_FILE not in release.files:
        return {}
    rows = pq.read_table(io.BytesIO(release.files[ACCOUNT_FILE]), columns=["issue_id", "team_id", "neighbourhood_code"]).to_pylist()
    teams = {str(row["team_id"]): row for row in rows}
    if len(teams) < len(rows):
        raise ContractBroken(f"{len(rows) - len(teams)} teams have more than one list in the release {release.name}; make the lists again")
    return teams


def _refuse_mismatch(name: str, recipient: Recipient, teams: Mapping[str, Mapping[str, Any]], neighbourhood_of: Mapping[str, str]) -> None:
    if not recipient.teams:
        return
    if not teams:
        raise SettingsWrong(
            f"delivery.recipients.{name} is to be sent lists, and the release has none; take direct_care from its purposes, or release lists"
        )
    if missing := [team for team in recipient.teams if team not in teams]:
        raise SettingsWrong(
            f"delivery.recipients.{name}: {len(missing)} of its {len(recipient.teams)} teams are not in the release ({len(teams)} are); correct teams"
        )
    served = {str(teams[team]["neighbourhood_code"]) for team in recipient.teams}
    if strange := sum(neighbourhood_of.get(practice) not in served for practice in recipient.practices):
        raise SettingsWrong(
            f"delivery.recipients.{name}: {strange} of its {len(recipient.practices)} practices are not of the neighbourhood that its team serves; "
            "correct practices or teams: nobody is sent another team's people"
        )


def _lists(name: str, recipient: Recipient, release: Verified, teams: Mapping[str, Mapping[str, Any]], site: Site) -> Iterator[Parcel]:
    """The files of a recipient's own lists: the team's, or those of its practices alone. Raises ContractBroken where one is not as it is called."""
    night = Night(as_of=release.as_of, site=site)
    for team in recipient.teams:
        for practice in recipient.practices or ("",):
            # The day of the list stands behind it: that of the release, or of the night that a release went back to.
            stem = file_name(str(teams[team]["issue_id"]), team, night, practice).rpartition("_")[0]
            own = re.compile(rf"{DIRECT_CARE}/{re.escape(stem)}_\d{{4}}-\d\d-\d\d\.({XLSX}|{CSV})")
            for file in (file for file in release.files if own.fullmatch(file) and release.purposes[file] == DIRECT_CARE):
                # Where the folder is not theirs alone a CSV is nothing to be refused over: it never goes.
                ending = file.rpartition(".")[2]
                if ending == CSV and not recipient.access_controlled:
                    continue
                content = release.files[file]
                if ending == CSV:
                    _refuse_others_rows(content, team, practice, may_name=bool(practice) or site.lists.identities == "neighbourhood")
                yield Parcel(name, file, content)


def _refuse_others_rows(content: bytes, team: str, practice: str, may_name: bool) -> None:
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    others = sum(row["team_id"] != team or (bool(practice) and row["practice_code"] != practice) for row in rows)
    if others:
        raise ContractBroken(
            f"a list's CSV has {others} rows of another team or practice than its name says; nothing is delivered: make the lists again"
        )
    if not may_name and (named := sum(bool(row.get(NUMBER)) for row in rows)):
        raise ContractBroken(f"a team's CSV names {named} people by NHS number, which only their practices are told; make the lists again")


def _products(name: str, recipient: Recipient, release: Verified) -> Iterator[Parcel]:
    """The open and secondary-use files of a recipient's purposes. Raises SettingsWrong where one that it names is not in the release."""
    of_purpose = {
        file: purpose
        for file, purpose in release.purposes.items()
        if purpose != DIRECT_CARE and purpose in recipient.purposes and file.startswith(f"{purpose}/")
    }
    stems = {file: file.rpartition("/")[2].rpartition(".")[0] for file in of_purpose}
    if missing := set(recipient.products) - set(stems.values()):
        raise SettingsWrong(f"delivery.recipients.{name}: {len(missing)} of its products are not in the release for its purposes; correct products")
    for file in sorted(of_purpose):
        if not recipient.products or stems[file] in recipient.products:
            yield Parcel(name, file, release.files[file])


def _refuse_open(name: str, recipient: Recipient, own: Sequence[Parcel], release: Verified) -> None:
    """Raises SettingsWrong where something that is not open would lie where others can read it."""
    if recipient.access_controlled:
        return
    lying_open = [parcel for parcel in own if release.purposes[parcel.file] == DIRECT_CARE and not parcel.content.startswith(ENCRYPTED)]
    if lying_open:
        raise SettingsWrong(
            f"delivery.recipients.{name}: {len(lying_open)} workbooks are not encrypted, and its folder is not access-controlled; put "
            "folder_is_access_controlled = false below [lists] so that workbooks get passwords, or see that only the recipient can open the folder"
        )


def _refuse_replay(release: Verified, receipts: Sequence[Receipt], recipients: set[str]) -> None:
    """Raises ContractBroken where a recipient has had a newer release than this one: an older one would bring people back."""
    last: dict[str, Receipt] = {}
    past: dict[str, set[str]] = {}
    for receipt in receipts:
        if receipt.recipient in last:
            past.setdefault(receipt.recipient, set()).add(last[receipt.recipient].release_hash)
        last[receipt.recipient] = receipt
    newer = {name: told for name, told in last.items() if name in recipients and told.release_hash != release.hash}
    if again := sum(release.hash in past.get(name, set()) for name in newer):
        raise ContractBroken(
            f"{again} recipients have had the release {release.name}, and a newer one since: it is not delivered again; release first"
        )
    now = (release.newest_day.isoformat(), release.when)
    if older := sum(now < (told.newest_day, told.made) for told in newer.values()):
        raise ContractBroken(
            f"{older} recipients have had a newer release than {release.name}, which would bring people back; nothing is delivered: go back with "
            "fuller rollback, which knows who has left since"
        )
