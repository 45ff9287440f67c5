"""Who lives in an area and what they have: people by age and sex, with each condition and in each PLUS group, exact and as it may leave the house.

Conditions that are parts of others here (metastatic cancer of cancer) are left out, because the difference would be told without being looked at; so
are circumstances, which are told of by PLUS group. What does not belong here: segments, indicators, and how small counts are hidden (`disclosure`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fuller_popheath.cohorts.person_columns import PERSON, arrow_columns
from fuller_popheath.cohorts.segment_counts import ALL, AREAS, NOWHERE, PLUS, PRACTICES, area_lines, smallest_areas
from fuller_popheath.disclosure.controlled_counts import Same, adds_up, control, overlapping, percent_of
from fuller_popheath.disclosure.rules import rule_named
from fuller_popheath.errors import ContractBroken

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from fuller_popheath.site import Site
    from fuller_popheath.specs import Inputs

FEATURES = "features/conditions"
KEY = ("area_type", "area_code", "topic", "group", "sex", "age_band")
AGE_SEX, CONDITION, PLUS_GROUP, NOT_RECORDED = TOPICS = ("age_sex", "condition", "plus", "plus_not_recorded")
SEXES = ("female", "male")
BAND_YEARS, OLDEST_BAND = 5, 90
STANDARD_AGES = (18, 45, 65, 75, 85)
"""Ages at which the bands begin by which people are expected to have a condition; the first begins at birth."""
CONDITIONS = (
    "hypertension",
    "atrial_fibrillation",
    "coronary_heart_disease",
    "heart_failure",
    "stroke_tia",
    "peripheral_arterial_disease",
    "diabetes",
    "non_diabetic_hyperglycaemia",
    "obesity",
    "chronic_kidney_disease",
    "copd",
    "asthma",
    "bronchiectasis",
    "cancer",
    "palliative_care",
    "depression",
    "anxiety",
    "severe_mental_illness",
    "eating_disorder",
    "dementia",
    "alcohol_problems",
    "substance_misuse",
    "epilepsy",
    "migraine",
    "parkinsons_disease",
    "multiple_sclerosis",
    "rheumatoid_arthritis",
    "connective_tissue_disease",
    "osteoporosis",
    "inflammatory_bowel_disease",
    "chronic_liver_disease",
    "peptic_ulcer",
    "thyroid_disease",
    "hearing_loss",
    "visual_impairment",
)
"""Columns of features/conditions without has_, in the order in which a profile tells of them."""
WANTED = {FEATURES: tuple(f"has_{name}" for name in CONDITIONS)}


def age_band_names() -> list[str]:
    """0-4 to 85-89 and 90+: the bands of a pyramid, from the youngest."""
    return [*(f"{start}-{start + BAND_YEARS - 1}" for start in range(0, OLDEST_BAND, BAND_YEARS)), f"{OLDEST_BAND}+"]


def population_profile(inputs: Inputs, site: Site) -> pd.DataFrame:
    """As it may leave the house, one row per KEY: people_count (null: hidden), percent, expected_count of conditions, is_hidden."""
    import pandas as pd

    person = inputs[PERSON]
    columns = [*KEY, "people_count", "percent", "expected_count", "is_hidden"]
    if not person.num_rows:
        return pd.DataFrame(columns=columns)
    areas, area = smallest_areas(person, inputs[PRACTICES])
    exact = exact_counts(inputs, site, areas, area)
    rule = rule_named(site.disclosure.rule)
    lines = (*area_lines(areas), adds_up("sex"), adds_up("age_band"), overlapping("group"))
    same = (Same("topic", {"group": ALL, "sex": ALL, "age_band": ALL}),)
    shown = control(exact[[*KEY, "people_count"]], KEY, ("people_count",), lines, rule, same)
    shown["percent"] = _percent(shown)
    shown["expected_count"] = _expected_shown(shown, exact["expected"], areas, rule.rounded_to)
    return shown[columns]


def exact_counts(inputs: Inputs, site: Site, areas: pd.DataFrame, area: np.ndarray) -> pd.DataFrame:
    """One row per KEY with people_count and, of conditions, `expected`: both exact. `areas`: columns icb, place, pcn; `area`: each person's."""
    import numpy as np
    import pandas as pd

    person = inputs[PERSON]
    age = person["age_years"].to_numpy()
    sex = np.select([(person["sex"].to_pandas() == name).to_numpy() for name in SEXES], range(len(SEXES)), default=len(SEXES))
    frames = [_age_sex(areas, area, age, sex)]
    stratum = np.searchsorted(STANDARD_AGES, age, side="right") * (len(SEXES) + 1) + sex
    frames.append(_conditions(inputs, areas, area, stratum))
    for topic, groups in _plus(inputs, site).items():
        counted = {name: np.bincount(area[is_in], minlength=len(areas)) for name, is_in in groups.items()}
        counted[ALL] = np.bincount(area, minlength=len(areas))
        frames.append(_summed(areas, pd.DataFrame(counted)).assign(topic=topic, sex=ALL, age_band=ALL))
    return pd.concat(frames, ignore_index=True)


def _age_sex(areas: pd.DataFrame, area: np.ndarray, age: np.ndarray, sex: np.ndarray) -> pd.DataFrame:
    """Five years of age by sex, each sex as a whole, and everybody."""
    import numpy as np
    import pandas as pd

    names = age_band_names()
    band = np.minimum(age, OLDEST_BAND) // BAND_YEARS
    size = len(names) * (len(SEXES) + 1)
    cells = np.bincount(area * size + sex * len(names) + band, minlength=len(areas) * size).reshape(len(areas), len(SEXES) + 1, len(names))
    made = {(name, each): cells[:, at, place] for at, name in enumerate(SEXES) for place, each in enumerate(names)}
    made |= {(name, ALL): cells[:, at].sum(axis=1) for at, name in enumerate(SEXES)} | {(ALL, ALL): cells.sum(axis=(1, 2))}
    rows = _summed(areas, pd.DataFrame({f"{one}|{other}": counts for (one, other), counts in made.items()}))
    parts = rows["group"].str.split("|", n=1, expand=True)
    return rows.assign(topic=AGE_SEX, group=ALL, sex=parts[0], age_band=parts[1])


def _conditions(inputs: Inputs, areas: pd.DataFrame, area: np.ndarray, stratum: np.ndarray) -> pd.DataFrame:
    """People with each condition, and how many there would be at the rates of the area's ICB by age band and sex (indirect standardisation)."""
    import numpy as np
    import pandas as pd

    strata = (len(STANDARD_AGES) + 1) * (len(SEXES) + 1)
    cell, size = area * strata + stratum, len(areas) * strata
    people = np.bincount(cell, minlength=size).reshape(len(areas), strata)
    icb, which = np.unique(areas["icb"].to_numpy(dtype=object), return_inverse=True)
    together = np.eye(len(icb))[which].T
    counted, expected = {}, {}
    for name, column in arrow_columns(inputs, WANTED).items():
        cases = np.bincount(cell[column.to_numpy()], minlength=size).reshape(len(areas), strata)
        rates = (together @ cases) / np.maximum(together @ people, 1)
        counted[name.removeprefix("has_")] = cases.sum(axis=1)
        expected[name.removeprefix("has_")] = (people * rates[which]).sum(axis=1)
    counted[ALL] = people.sum(axis=1)
    rows = _summed(areas, pd.DataFrame(counted))
    beside = _summed(areas, pd.DataFrame(expected)).rename(columns={"people_count": "expected"})
    rows = rows.merge(beside, on=["area_type", "area_code", "group"], how="left", validate="one_to_one")
    return rows.assign(topic=CONDITION, sex=ALL, age_band=ALL)


def _plus(inputs: Inputs, site: Site) -> Mapping[str, Mapping[str, np.ndarray]]:
    """By topic and PLUS group the positions of the people in it, and of those of whom nobody can say."""
    import pyarrow.compute as pc

    plus, people = inputs[PLUS], inputs[PERSON]["person_id"].combine_chunks()
    place = pc.index_in(plus["person_id"], value_set=people)
    if place.null_count:
        raise ContractBroken(f"{PLUS} has {place.null_count:,} rows about people who are not in {PERSON}: make it again")
    at = place.to_numpy()
    made: dict[str, dict[str, np.ndarray]] = {PLUS_GROUP: {}, NOT_RECORDED: {}}
    for name in dict.fromkeys((*site.plus.groups, *site.plus.local)):
        for topic, membership in ((PLUS_GROUP, "yes"), (NOT_RECORDED, "not_recorded")):
            made[topic][name] = at[pc.and_(pc.equal(plus["plus_group"], name), pc.equal(plus["membership"], membership)).to_numpy()]
    return made


def _summed(areas: pd.DataFrame, counts: pd.DataFrame) -> pd.DataFrame:
    """Counts of the smallest areas (a column a group) summed up to every area of every kind: area_type, area_code, group, people_count."""
    import pandas as pd

    frames = []
    for area_type in AREAS:
        by_area = counts.groupby(areas[area_type].to_numpy()).sum()
        rows = by_area.rename_axis("area_code").reset_index().melt("area_code", var_name="group", value_name="people_count")
        frames.append(rows.assign(area_type=area_type))
    return pd.concat(frames, ignore_index=True)


def _percent(shown: pd.DataFrame) -> pd.Series:
    """Percent of everybody of the area, and for an age band of its sex, from what is shown."""
    is_band = shown["age_band"] != ALL
    own = shown.assign(of_sex=shown["sex"].where(is_band, ALL))[["area_type", "area_code", "topic", "of_sex"]]
    wholes = shown[(shown["group"] == ALL) & (shown["age_band"] == ALL)].rename(columns={"sex": "of_sex", "people_count": "whole"})
    keys = ["area_type", "area_code", "topic", "of_sex"]
    whole = own.merge(wholes[[*keys, "whole"]], on=keys, how="left", validate="many_to_one")["whole"].set_axis(shown.index)
    return percent_of(shown["people_count"], whole, 2)


def _expected_shown(shown: pd.DataFrame, expected: pd.Series, areas: pd.DataFrame, rounded_to: int) -> pd.Series:
    """What was expected, rounded as counts are: of places and PCNs in one ICB, where neither their count nor that of the ICB is hidden.

    Of an ICB itself it would be the exact count of its people with the condition.
    """
    import numpy as np

    icb_of: dict[tuple[str, str], str] = {}
    for area_type in ("place", "pcn"):
        pairs = areas[[area_type, "icb"]].drop_duplicates()
        alone = pairs[~pairs[area_type].duplicated(keep=False) & (pairs["icb"] != NOWHERE)]
        icb_of |= {(area_type, code): icb for code, icb in zip(alone[area_type], alone["icb"], strict=True)}
    conditions = shown["topic"] == CONDITION
    told = shown[conditions & (shown["area_type"] == "icb") & ~shown["is_hidden"]]
    open_icbs = set(zip(told["area_code"], told["group"], strict=True))
    keys = zip(shown["area_type"], shown["area_code"], shown["group"], strict=True)
    has_icb = np.fromiter(((icb_of.get((kind, code)), group) in open_icbs for kind, code, group in keys), np.bool_, len(shown))
    whole = ((expected + rounded_to / 2) // rounded_to * rounded_to).astype("Float64")
    return whole.where(conditions & ~shown["is_hidden"] & has_icb & expected.notna())


TABLES = (PERSON, FEATURES, PLUS, PRACTICES)
"""What the counts are made of."""
