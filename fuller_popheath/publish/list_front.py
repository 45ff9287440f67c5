"""The first sheet of a list in ten lines: what it is and is not, how old it is, who is on it and who is not, by which rule, and how it comes back.

What does not belong here: how a sheet looks (`list_sheets.py`), and any person.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fuller_popheath.publish.wording import calm, day

if TYPE_CHECKING:
    from fuller_popheath.specs import Night

Row = Mapping[str, Any]

NOT_LISTED = (
    ("below_points_count", "have fewer points of need than a list asks for"),
    ("team_excludes_count", "are not seen by this team (age, care home or skills)"),
    ("review_count", "are left out for what was said about them in a review, or because they want no lists"),
    ("type_1_objection_count", "are left out for their Type 1 objection"),
    (
        "type_1_unknown_count",
        "are left out because their practice's Type 1 objections cannot be read, so that they count as objecting: whoever runs this pipeline adds "
        "the Type 1 code of the practice's system to the folder of [codelists] in site.toml",
    ),
    ("national_objection_count", "are left out for their national data opt-out"),
    ("sensitive_record_count", "are left out because their record is marked as not to be shared"),
)

LABELS = (
    *("What this is", "What it is not", "As at", "Practices' data", "Who is on it", "Who is not", "The rule", "Order and floors", "Names"),
    "How to return it",
)
"""The labels of the ten lines."""


def first_sheet_lines(
    account: Row, night: Night, practice: str = "", shown_count: int = 0, shows_numbers: bool = False
) -> tuple[tuple[str, str], ...]:
    """The ten lines as (label, text).

    `account`: the team's row of products/cohort_list_account; `practice`: whose people alone these `shown_count` are, "" where they are the team's.
    """
    texts = (
        "People for whom seeing the same clinician each time may help most, and only as many as the team has places for. A prompt: you decide.",
        "Not a diagnosis and no instruction. Nothing here is written back to any record. Being absent means nothing; being on it is no judgement.",
        _as_at(account, night),
        account["coverage"],
        _on_it(account),
        _not_on_it(account),
        account["rule"] + ("" if "not validated" in account["rule"] else " A local choice: not validated."),
        _order(account),
        _names(account, practice, shown_count, shows_numbers),
        "On the sheet People choose under Review, add the date (and for Later, until when), and send the file back as it is: sorted, filtered, with "
        "columns of your own or with rows missing, it is read. Never re-type or move row references: they tell us who is meant. Notes are not read.",
    )
    return tuple(zip(LABELS, texts, strict=True))


def issue_line(account: Row) -> str:
    """Which list this is, on one line."""
    return f"Issue: {account['issue_id']} · Team: {account['team_id']}"


def team_in_words(account: Row) -> str:
    """The team by its name, with its neighbourhood where that is another; by code where there is no name."""
    team = calm(account["team_name"]) if account["team_name"] else str(account["team_id"])
    area = calm(account["neighbourhood_name"]) if account["neighbourhood_name"] else ""
    return f"{team} ({area})" if area and area.casefold() != team.casefold() else team


def _as_at(account: Row, night: Night) -> str:
    issued = f"{day(account['issued_on'])}, the day of the issue. What was recorded on or after that day is not known here."
    if night.as_of == account["issued_on"]:
        return issued
    return f"{issued} Since then people were only taken off or marked, last on {day(night.as_of)}: nobody was added, and no row moved."


def _on_it(account: Row) -> str:
    places, reserve = account["slots_count"], account["reserve_count"]
    told = f"{account['issued_count']:,} of {account['registered_count']:,} registered people, for {places:,} places"
    told += f", {reserve:,} of them kept free for people whom the team itself names." if reserve else "."
    if account["shortfall_count"]:
        told += f" {account['shortfall_count']:,} places stay empty, because too few people could be listed."
    if account["removed_count"]:
        told += f" {account['removed_count']:,} have been taken off since."
    return told + expected_in_words(account)


def expected_in_words(account: Row) -> str:
    """What is expected of all those listed together whose risk is known, if nothing is done, with its 95 % interval; empty where none is known."""
    if account["expected_admissions"] is None:
        return ""
    about, low, high = (int(account[name] + 0.5) for name in ("expected_admissions", "expected_lower", "expected_upper"))
    scored = account.get("scored_count")
    among = "them" if scored is None or scored >= account["issued_count"] else f"the {scored:,} with a known risk"
    told = f"About {about:,} ({low:,} to {high:,}) of {among} would have an emergency admission within 12 months, by the model."
    if account["is_demonstration"]:
        return f" DEMONSTRATION, from a model of make-believe data: {told[0].lower()}{told[1:]}"
    return f" {told}"


def _not_on_it(account: Row) -> str:
    elsewhere = account.get("elsewhere_count") or 0
    beyond = account["eligible_count"] - account["issued_count"] - elsewhere
    told = [f"{elsewhere:,} are on the list of another team of the neighbourhood"] if elsewhere else []
    told += [f"{beyond:,} could have been listed, but there is no place for them"] if beyond > 0 else []
    told += [f"{account[name]:,} {words}" for name, words in NOT_LISTED if account[name]]
    return "; ".join(told) + "." if told else "Nobody was left out."


def _order(account: Row) -> str:
    if not account["issued_count"]:
        return "Nobody was put in order."
    told = "In the order of that rule, No. 1 first. "
    told += _ended(account["floors"]) if account["floors"] else "No group of people has a floor."
    return told + (f" Could not be met: {_ended(account['floors_unmet'])}" if account["floors_unmet"] else "")


def _names(account: Row, practice: str, shown_count: int, shows_numbers: bool) -> str:
    if shows_numbers and not practice:
        return (
            "NHS numbers of the people of all practices: this site chose so (site.toml, [lists], identities), which is for teams with a "
            "data-sharing agreement."
        )
    where = "Names are with each practice: its own file has the same rows, and the NHS numbers of its own people."
    return f"{where} This is the file of {practice}: {shown_count:,} of the {account['issued_count']:,} people." if practice else where


def _ended(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
