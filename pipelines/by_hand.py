"""`python -m pipelines.by_hand`: what a person does between nights and a night must not run beside: deliver, forget, object, rotate
the key.

The lock of the store and the clock are here; ends with the exit codes of `fuller`. What does not belong here: how any of it is done.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from fuller_popheath.errors import FullerError, without_values
from fuller_popheath.people.objection_register import KINDS
from fuller_popheath.site import load_site
from pipelines.night_lock import one_night
from pipelines.stores import Store

if TYPE_CHECKING:
    from rich.console import Console

    from fuller_popheath.site import Site

BY_HAND = "by hand"


def main(arguments: Sequence[str] | None = None) -> int:
    """Do one thing; returns the exit code."""
    from rich.console import Console

    asked = parser().parse_args(arguments)
    console, complaints = Console(highlight=False, soft_wrap=True, markup=False), Console(stderr=True, highlight=False, soft_wrap=True, markup=False)
    try:
        site = load_site()
        with one_night(site.folder("store")):
            return int(asked.does(asked, site, console))
    except FullerError as refused:
        complaints.print(f"{type(refused).__name__}: {refused}")
        return refused.exit_code
    except Exception as unexpected:
        complaints.print(f"Unexpected: {without_values(unexpected)}")
        return 1


def parser() -> argparse.ArgumentParser:
    """The things that can be done, each with its options."""
    options = argparse.ArgumentParser(prog="python -m pipelines.by_hand")
    kinds = options.add_subparsers(required=True)
    deliver = kinds.add_parser("deliver", help="send each recipient's own files of the current release")
    deliver.add_argument("--dry-run", action="store_true", help="only say what would be sent")
    deliver.add_argument("--recipient", action="append", default=[], help="of this recipient alone; may be repeated")
    deliver.set_defaults(does=_deliver)
    forget = kinds.add_parser("forget", help="forget people: their NHS numbers come in by the standard input")
    forget.add_argument("--reference", action="append", default=[], help="issue:team:row reference of a list; may be repeated")
    forget.set_defaults(does=_forget)
    object_to = kinds.add_parser("object", help="write down that people object: their NHS numbers come in by the standard input")
    object_to.add_argument("--kind", required=True, choices=KINDS, help="which objection")
    object_to.add_argument("--reference", action="append", default=[], help="issue:team:row reference of a list; may be repeated")
    object_to.add_argument("--withdraw", action="store_true", help="take it back")
    object_to.set_defaults(does=_object)
    rotate = kinds.add_parser("rotate-key", help="give everybody an id under a new key")
    rotate.add_argument("--new-key-file", default="", help="the file of the new key; default: the environment variable FULLER_NEW_PSEUDONYM_KEY")
    rotate.set_defaults(does=_rotate)
    return options


def _rotate(asked: argparse.Namespace, site: Site, console: Console) -> int:
    from pipelines.rotating import rotate

    done = rotate(site, asked.new_key_file)
    if done.is_resumed:
        console.print("The rotation that had been interrupted is done.")
    console.print(
        f"{done.people_count:,} people have an id under the new key (version {done.version}); {len(done.releases):,} releases were signed anew."
    )
    if done.removed:
        console.print(f"Removed, for they were not as they were signed: {', '.join(done.removed)}")
    console.print("Now set the new key where the old one stood; until then no night runs. Keep the vault's backups: they hold the keys before.")
    return 0


def _forget(asked: argparse.Namespace, site: Site, console: Console) -> int:
    from fuller_popheath.key_commands import numbers_of, rows_of
    from pipelines.erasing import forget_people

    numbers = numbers_of("" if sys.stdin.isatty() else sys.stdin.read())
    done = forget_people(site, numbers, rows_of(asked.reference))
    if not numbers and not asked.reference and not done.is_resumed:
        console.print("No forgetting had been interrupted; nothing was done.")
        return 0
    if done.is_resumed:
        console.print("An earlier forgetting had been interrupted; it is done now too.")
    counts = done.counts
    console.print(f"Taken out: {counts.store_rows:,} rows of {counts.store_files:,} files of the store, {counts.quarantine_rows:,} of quarantine,")
    console.print(
        f"  {counts.vault_rows:,} of the vault; {counts.audit_keys:,} keys of the audit log destroyed; {counts.workbooks:,} workbooks removed"
    )
    console.print(f"Made again: {done.workbooks_made:,} files of today's lists; {len(done.releases):,} releases, signed anew")
    if done.removed:
        console.print(f"Removed, for they were not as they were signed: {', '.join(done.removed)}")
    if not done.known_count:
        console.print("Nothing that is kept knew anybody of them; they are kept out of whatever comes from now on.")
    console.print("Not in our hands: the landing folder's files, backups, and what recipients were sent before. fuller deliver sends the new lists.")
    return 0


def _object(asked: argparse.Namespace, site: Site, console: Console) -> int:
    from fuller_popheath.key_commands import numbers_of, rows_of
    from pipelines.objecting import object_people, take_back

    numbers = numbers_of("" if sys.stdin.isatty() else sys.stdin.read())
    rows = rows_of(asked.reference)
    if asked.withdraw:
        done = take_back(site, [asked.kind], numbers, rows)
        if not done.taken_back:
            console.print("Nobody of them objected by the register; nothing was changed.")
            return 0
        console.print("Taken back, as from the next night. What files and records say of them stands.")
        return 0
    done = object_people(site, asked.kind, numbers, rows)
    console.print("Written down: it holds for every night and training from now on, beside what files and records say.")
    if not done.is_judged:
        console.print("No night has got as far as who objects to what, so there was nothing to take anybody out of.")
    console.print(
        f"Taken off: {done.rows_taken_off:,} rows of lists; made again: {done.files_made:,} files of lists, {len(done.releases):,} releases"
    )
    if done.removed:
        console.print(f"Removed, for they were not as they were signed: {', '.join(done.removed)}")
    console.print(
        "Not in our hands: what recipients were sent before. fuller deliver sends the new lists; counts and scores change with the next night."
    )
    return 0


def _deliver(asked: argparse.Namespace, site: Site, console: Console) -> int:
    from rich.table import Table

    from pipelines.delivering import deliver_current

    store = Store(site.folder("store"), site.folder("products"))
    plan, made = deliver_current(site, store, BY_HAND, tuple(asked.recipient), asked.dry_run)
    if plan is None:
        console.print("Nobody is in the register: name recipients below [delivery] of site.toml. Nothing was sent.")
        return 0
    table = Table(box=None, header_style="bold")
    for heading in ("recipient", "file", "bytes", ""):
        table.add_column(heading, overflow="fold")
    why = (
        {
            (receipt.recipient, receipt.file): receipt.state
            if receipt.file.endswith(f"/{receipt.sent_as}")
            else f"{receipt.state} as {receipt.sent_as}"
            for receipt in made.receipts
        }
        if made
        else {}
    )
    for parcel in plan.parcels:
        told = "had it before" if parcel.is_there else why.get((parcel.recipient, parcel.file), "would be sent" if made is None else "NOT SENT")
        table.add_row(parcel.recipient, parcel.file, f"{len(parcel.content):,}", told)
    console.print(table)
    done = "would be sent" if made is None else "sent"
    count = len(plan.to_send) if made is None else len(made.receipts)
    console.print(f"Release {plan.release.name}: {count:,} files {done}, {len(plan.parcels) - len(plan.to_send):,} had been before.")
    for name, words in sorted((made.failed if made else {}).items()):
        console.print(f"delivery.recipients.{name}: {words}", style="red")
    return 1 if made and made.failed else 0


if __name__ == "__main__":
    sys.exit(main())
