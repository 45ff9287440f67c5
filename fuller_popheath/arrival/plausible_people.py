"""Statistical checks on tables about persons: do list sizes agree with the published ones, and can objections be read? They warn; contracts refuse.

As in `plausible.py`: tables of one night in, a `Finding` out, no row named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.arrival.plausible import NO_LISTS, NOT_PUBLISHED, Finding, percent

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.site import ArrivalLimits


def list_sizes_agree(list_size_check: pa.Table, limits: ArrivalLimits) -> Finding:
    """Of the practices that sent a list: the people counted, against those published, for each practice and for all of them together.

    As expected where every practice that sent agrees, none is on a stale list, and the sums differ by less than `reconcile_percent`.
    """
    verdicts, states = list_size_check["verdict"].to_pylist(), list_size_check["list_state"].to_pylist()
    counted, published = list_size_check["counted_count"].to_pylist(), list_size_check["published_count"].to_pylist()
    sent = [i for i, verdict in enumerate(verdicts) if verdict in ("agrees", "differs")]
    if not sent:
        return Finding(True, NOT_PUBLISHED if "not_published" in verdicts else NO_LISTS, {"practices compared": 0})
    differing = sum(verdicts[i] == "differs" for i in sent)
    stale, missing = states.count("stale"), verdicts.count("not_sent")
    people, expected = sum(counted[i] for i in sent), sum(published[i] for i in sent)
    off = percent(people - expected, expected)
    return Finding(
        not differing and not stale and abs(off) < limits.reconcile_percent,
        f"{differing:,} of {len(sent):,} practices differ from the published list size by {limits.reconcile_percent:g} % or more; together "
        f"{people:,} people against {expected:,} ({off:+.2f} %); {stale:,} stand on an old list, {missing:,} sent none",
        {
            "practices compared": len(sent),
            "practices that differ": differing,
            "practices on an old list": stale,
            "practices without a list": missing,
            "percent of difference": round(off, 3),
        },
    )


def nothing_lost(registration_outcome: pa.Table, registrations: int, persons: int) -> Finding:
    """Whether every registration ended in one outcome, and the outcome `person` is as many as there are persons."""
    counts = registration_outcome.group_by("outcome").aggregate([("registration_count", "sum")])
    by_outcome = dict(zip(counts["outcome"].to_pylist(), counts["registration_count_sum"].to_pylist(), strict=True))
    settled, became = sum(by_outcome.values()), by_outcome.get("person", 0)
    listed = ", ".join(f"{outcome} {n:,}" for outcome, n in sorted(by_outcome.items(), key=lambda item: -item[1]))
    return Finding(
        settled == registrations and became == persons,
        f"{settled:,} of {registrations:,} registrations have an outcome, {became:,} became {persons:,} persons ({listed or 'none'})",
        {"registrations": registrations, "registrations settled": settled, "persons": persons, **{f"outcome {k}": v for k, v in by_outcome.items()}},
    )


def person_attributes_of_the_day(person: pa.Table) -> Finding:
    """How many persons stand with an extract that was made after the day: all but dates is then of the extract's day, not of `as_of`."""
    import pyarrow.compute as pc

    people, later = person.num_rows, pc.sum(person["is_from_later_extract"]).as_py() or 0
    return Finding(
        not later,
        f"{later:,} of {people:,} people ({percent(later, people):.1f} %) stand with a list made after the day: where they live, their ethnic "
        "category and their marks are those of the list, and their usual GP is left out",
        {"people": people, "people from later lists": later},
    )


def objections_readable(person_objection: pa.Table) -> Finding:
    """Whether Type 1 objections could be read for everybody, and whether any national opt-out has arrived at all.

    Nobody among a whole population objecting is not good news: it is a file that did not come, or a code list that is empty.
    """
    import pyarrow.compute as pc

    people = person_objection.num_rows
    unknown = pc.sum(pc.equal(person_objection["type_1_reason"], "unknown")).as_py() or 0
    type_1 = pc.sum(pc.equal(person_objection["type_1_reason"], "dissent")).as_py() or 0
    national = pc.sum(person_objection["has_national_objection"]).as_py() or 0
    doubts = []
    if unknown:
        doubts.append(
            f"for {unknown:,} people ({percent(unknown, people):.1f} %) nobody can tell, so that they count as objecting: give the code list of Type "
            "1 dissent for the code systems of their practices ([codelists] folder in site.toml); or have the practices send files of all their "
            "objections, and set [objections] practice_files_are_complete = true"
        )
    if people and not national:
        doubts.append("no national data opt-out has arrived: give the file, or nobody's is honoured")
    told = f"Type 1 objections of {type_1:,} and national opt-outs of {national:,} of {people:,} people are known"
    return Finding(
        not doubts,
        "; ".join([told, *doubts]),
        {"people": people, "Type 1 objections": type_1, "Type 1 not readable": unknown, "national opt-outs": national},
    )
