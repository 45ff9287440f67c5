"""`fuller forget`, `fuller object` and `fuller rotate-key`: what is done with people's ids and keys between nights, by whoever holds the vault.

What belongs here: options, and reading whom is meant without a number ever standing on a command line. What does not: doing it, which holds the
store's lock and reads the clock, in a process of its own (`pipelines.by_hand`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from fuller_popheath.delivery_command import by_hand
from fuller_popheath.errors import SettingsWrong
from fuller_popheath.people import objection_register
from fuller_popheath.sources.names import holds_nhs_number

Say = Callable[[str], None]


class Objection(StrEnum):
    """What somebody may object to, as it is written on the command line."""

    TYPE_1 = "type_1"
    NATIONAL = "national"
    NO_LISTS = "no_lists"


KINDS = {
    Objection.TYPE_1: objection_register.TYPE_1,
    Objection.NATIONAL: objection_register.NATIONAL,
    Objection.NO_LISTS: objection_register.NO_LISTS,
}
NUMBER = re.compile(r"[0-9]{10}")


def add_to(app: typer.Typer, say: Say) -> None:
    """Add the commands to the command line."""

    @app.command("forget")
    def forget_command(
        nhs_number_file: Annotated[
            Path | None, typer.Option(exists=True, dir_okay=False, help="A file with one NHS number a line; delete it afterwards")
        ] = None,
        reference: Annotated[list[str] | None, typer.Option(help="A row of a list, as issue:team:reference; may be repeated")] = None,
        resume: Annotated[bool, typer.Option("--resume", help="Only go on with a forgetting that was interrupted")] = False,
    ) -> None:
        """Forget people: out of every table, list, release, quarantine and the vault, and out of whatever comes from now on."""
        if not nhs_number_file and not reference and not resume:
            raise SettingsWrong("say who: --nhs-number-file or --reference (an NHS number never stands on the command line)")
        text = nhs_number_file.read_text(encoding="utf-8-sig") if nhs_number_file else ""
        # Judged here too, so that nothing is started for a slip of the pen.
        numbers, _ = numbers_of(text), rows_of(reference or ())
        words = [word for each in reference or () for word in ("--reference", each)]
        raise typer.Exit(by_hand("forget", words, "\n".join(numbers).encode()))

    @app.command("object")
    def object_command(
        kind: Annotated[Objection, typer.Option(help="Which objection")],
        nhs_number_file: Annotated[
            Path | None, typer.Option(exists=True, dir_okay=False, help="A file with one NHS number a line; delete it afterwards")
        ] = None,
        reference: Annotated[list[str] | None, typer.Option(help="A row of a list, as issue:team:reference; may be repeated")] = None,
        withdraw: Annotated[bool, typer.Option("--withdraw", help="Take it back, as from the next night")] = False,
    ) -> None:
        """Write down that people object: off today's lists at once, and out of every night and training from now on, until it is taken back."""
        if not nhs_number_file and not reference:
            raise SettingsWrong("say who: --nhs-number-file or --reference (an NHS number never stands on the command line)")
        numbers, _ = numbers_of(nhs_number_file.read_text(encoding="utf-8-sig") if nhs_number_file else ""), rows_of(reference or ())
        if not numbers and not reference:
            raise SettingsWrong("the file of --nhs-number-file holds no NHS number; nothing was done")
        words = ["--kind", KINDS[kind], *(word for each in reference or () for word in ("--reference", each)), *(["--withdraw"] if withdraw else [])]
        raise typer.Exit(by_hand("object", words, "\n".join(numbers).encode()))

    @app.command("rotate-key")
    def rotate_key_command(
        new_key_file: Annotated[
            Path | None, typer.Option(exists=True, dir_okay=False, help="The file of the new key; default: FULLER_NEW_PSEUDONYM_KEY")
        ] = None,
    ) -> None:
        """Give everybody a person id under a new key, without losing history: store, vault, audit log and releases."""
        raise typer.Exit(by_hand("rotate-key", ["--new-key-file", str(new_key_file.resolve())] if new_key_file else []))


def numbers_of(text: str) -> tuple[str, ...]:
    """The NHS numbers of a text, one a line, blanks and hyphens left out. Raises SettingsWrong, with counts, where a line is none."""
    lines = [re.sub(r"[\s-]", "", line) for line in text.splitlines()]
    found = [line for line in lines if line]
    if wrong := sum(NUMBER.fullmatch(line) is None or not holds_nhs_number(line) for line in found):
        raise SettingsWrong(
            f"{wrong} of {len(found)} lines are no NHS number (ten digits with a right check digit); correct the file, nothing was done"
        )
    return tuple(dict.fromkeys(found))


def rows_of(references: Iterable[str]) -> tuple[tuple[str, str, str], ...]:
    """Rows of lists from issue:team:reference. Raises SettingsWrong for what is none."""
    found = [tuple(part.strip() for part in each.split(":")) for each in references]
    if any(len(parts) != 3 or not all(parts) for parts in found):
        raise SettingsWrong("--reference must be written as issue:team:reference, as they stand on the list: list-2026-10-05:U12345:BCDFGH")
    return tuple((parts[0], parts[1].upper(), parts[2].upper()) for parts in found)
