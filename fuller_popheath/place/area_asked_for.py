"""Which practices the run is about: those of one ICB, of some sub-ICBs, or all; and how many are left out.

Codes only, never names: names of ICBs, places and PCNs change and repeat.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fuller_popheath.errors import InputMissing

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class LeftOut:
    """The practices with a list, and their registered people, that are in no table because they do not belong to the area asked for.

    `unknown_icb_*` are those among them of whom no file or setting tells an ICB or sub-ICB: they may belong to the area after all.
    """

    practice_count: int
    registered_count: int
    unknown_icb_practice_count: int
    unknown_icb_registered_count: int


def codes_asked_for(icb: str) -> tuple[str, ...]:
    """The codes in an `--icb` option or site.toml's geography.icb: one ICB, or a comma-separated list of ICB or sub-ICB codes; none means all."""
    return tuple(dict.fromkeys(code for code in (part.strip().upper() for part in icb.split(",")) if code))


def practices_of(icb: str, neighbourhood_practice: pa.Table) -> frozenset[str]:
    """Codes of the practices of `icb` (see codes_asked_for) in a table with practice_code, icb_code and place_code (where the sub-ICB stands).

    All of them where no code is asked for. Raises InputMissing, with what can be done, where a code asked for is the code of no practice's
    ICB or place: a wrong or unknown code never gives a smaller area silently.
    """
    import pyarrow.compute as pc

    practices = neighbourhood_practice.select(["practice_code", "icb_code", "place_code"])
    wanted = codes_asked_for(icb)
    if not wanted:
        return frozenset(practices["practice_code"].to_pylist())
    known = {code for name in ("icb_code", "place_code") for code in pc.unique(practices[name]).to_pylist()}
    missing = [code for code in wanted if code not in known]
    if missing:
        without = practices["icb_code"].null_count
        raise InputMissing(
            f"{', '.join(missing)} is the code of no practice's ICB or sub-ICB (of {practices.num_rows:,} practices, {without:,} have no known ICB): "
            "give the codes of its sub-ICBs, separated by commas; or a practice map (gp-reg-pat-prac-map); "
            "or say which sub-ICB belongs to which ICB in site.toml [geography.icb_of_sub_icb]"
        )
    rows = zip(*(practices[name].to_pylist() for name in ("practice_code", "icb_code", "place_code")), strict=True)
    return frozenset(practice for practice, icb_code, place_code in rows if icb_code in wanted or place_code in wanted)


def left_out(registered_count: pa.Table, practices_everywhere: pa.Table, icb: str) -> LeftOut:
    """Who a run about `icb` (see codes_asked_for) leaves out: nobody where no code is asked for.

    `registered_count`: practice_code and registered_count of `core/registered_count`, which holds every practice that was published, whatever
    the area; `practices_everywhere`: what neighbourhood_practice.practices_everywhere returns. Raises InputMissing as practices_of does.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    people = registered_count.group_by("practice_code").aggregate([("registered_count", "sum")])
    people = people.filter(pc.greater(people["registered_count_sum"], 0))
    chosen = pa.array(sorted(practices_of(icb, practices_everywhere)), type=people["practice_code"].type)
    outside = people.filter(pc.invert(pc.is_in(people["practice_code"], value_set=chosen)))
    told = pc.or_(pc.is_valid(practices_everywhere["icb_code"]), pc.is_valid(practices_everywhere["place_code"]))
    placed = practices_everywhere.filter(told)["practice_code"].combine_chunks()
    unknown = outside.filter(pc.invert(pc.is_in(outside["practice_code"], value_set=placed)))
    return LeftOut(
        practice_count=outside.num_rows,
        registered_count=pc.sum(outside["registered_count_sum"]).as_py() or 0,
        unknown_icb_practice_count=unknown.num_rows,
        unknown_icb_registered_count=pc.sum(unknown["registered_count_sum"]).as_py() or 0,
    )
