"""site.toml, validated: the choices that belong to the place that runs this, with defaults for all of them."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from fuller_popheath.errors import SettingsWrong
from fuller_popheath.site_delivery import Delivery
from fuller_popheath.site_disclosure import Disclosure
from fuller_popheath.site_lists import ContinuityNeed, Lists, Plus, Reviews
from fuller_popheath.site_nights import Nights, Notices, Retention
from fuller_popheath.site_releases import Releases
from fuller_popheath.site_section import Section

PROJECT_ROOT = Path(__file__).resolve().parents[1]
SITE_FILE_VARIABLE = "FULLER_SITE"


class Wave(Section):
    """One wave of the phasing plan: the PCNs whose Core20 share (percent of registered people, as shown) is at least the threshold."""

    name: str
    core20_percent_at_least: float = Field(ge=0, le=100)
    due_date: date | None = None


class Geography(Section):
    """Which ICB and place a sub-ICB belongs to, where the files do not say; and neighbourhoods that are not PCNs."""

    icb: str = ""
    icb_of_sub_icb: dict[str, str] = Field(default_factory=dict)
    icb_names: dict[str, str] = Field(default_factory=dict)
    place_of_sub_icb: dict[str, str] = Field(default_factory=dict)
    place_names: dict[str, str] = Field(default_factory=dict)
    neighbourhood_of_practice: dict[str, str] = Field(default_factory=dict)
    neighbourhood_names: dict[str, str] = Field(default_factory=dict)


class Phasing(Section):
    """The order in which neighbourhood teams start (board paper of 27 July 2022, section 2.9): thresholds are a local choice."""

    waves: tuple[Wave, ...] = (
        Wave(name="Wave 1", core20_percent_at_least=30.0, due_date=date(2023, 4, 1)),
        Wave(name="Wave 2", core20_percent_at_least=0.0, due_date=date(2024, 4, 1)),
    )

    @field_validator("waves")
    @classmethod
    def _in_order(cls, waves: tuple[Wave, ...]) -> tuple[Wave, ...]:
        thresholds, names = [wave.core20_percent_at_least for wave in waves], [wave.name for wave in waves]
        if not waves or thresholds != sorted(set(thresholds), reverse=True) or len(set(names)) < len(names) or "" in names:
            raise ValueError("name at least one wave, each by another name, from the highest threshold to the lowest: the first that fits holds")
        return waves


class ArrivalLimits(Section):
    """When a file is too poor to be used, and when a change since last time is worth a warning. All in percent."""

    max_quarantined_percent: float = Field(default=5.0, ge=0, le=100)
    list_size_change_percent: float = Field(default=5.0, ge=0)
    unmatched_percent: float = Field(default=1.0, ge=0, le=100)
    refuse_unmatched_percent: float = Field(default=5.0, ge=0, le=100)
    practice_coverage_percent: float = Field(default=95.0, ge=0, le=100)
    max_file_megabytes: int = Field(default=4096, gt=0)
    shrunken_percent: float = Field(default=5.0, ge=0, le=100)
    stale_after_days: int = Field(default=7, ge=0)
    reconcile_percent: float = Field(default=1.0, ge=0, le=100)
    drop_sensitive_codes: bool = True


class Pseudonyms(Section):
    """The key that turns NHS numbers into person ids. It never stands here: the environment variable FULLER_PSEUDONYM_KEY holds it, or `key_file`."""

    key_file: str = ""
    key_version: int = Field(default=1, ge=1)
    data_is_synthetic: bool = False


OBJECTION_PURPOSES = ("statistics", "scoring", "training", "score_list", "rule_list")
PUBLISHED_COUNTS = ("list_size", "core20")
"""What no objection can reach: these figures are made from counts that NHS England publishes, which are exact and name nobody."""


class Objections(Section):
    """What each objection keeps a person out of: purposes among statistics, scoring, training, score_list, rule_list.

    statistics: every count of people for another purpose than their own care (segments and their movement, indicators, activity, profiles, the
    continuity gap). The defaults wait for the site's information-governance sign-off. `practice_files_are_complete`: a file of objections that a
    practice sends holds every Type 1 objection there, so that whoever is not in it does not object, even where codes cannot be read.
    """

    practice_files_are_complete: bool = False
    type_1: tuple[str, ...] = ("scoring", "training", "score_list", "rule_list")
    national_data_opt_out: tuple[str, ...] = ("scoring", "training", "score_list", "rule_list")

    @field_validator("type_1", "national_data_opt_out")
    @classmethod
    def _known(cls, purposes: tuple[str, ...]) -> tuple[str, ...]:
        if published := [purpose for purpose in purposes if purpose in PUBLISHED_COUNTS]:
            raise ValueError(
                f"{', '.join(published)}: list sizes and Core20 are made from published counts of whole practices, out of which nobody can be taken; "
                "leave it out, or give statistics, which keeps people out of every count that is made from records"
            )
        unknown = [purpose for purpose in purposes if purpose not in OBJECTION_PURPOSES]
        if unknown:
            raise ValueError(f"an unknown purpose; there are {', '.join(OBJECTION_PURPOSES)}")
        return purposes


class Continuity(Section):
    """Which contacts count for continuity received: a local choice, shown beside every figure."""

    window_days: int = Field(default=730, gt=0)
    clinician_types: tuple[str, ...] = ("gp",)
    excluded_modes: tuple[str, ...] = ("written",)
    excluded_categories: tuple[str, ...] = ("clinical_triage", "group_consultation", "external_service", "non_contractual")
    minimum_contacts: int = Field(default=3, ge=2)


class Frailty(Section):
    """From how many different medicines in a year on somebody has polypharmacy. Five is common usage; no source that we could read fixes it."""

    polypharmacy_medicines: int = Field(default=5, ge=2)


class Training(Section):
    """How risk models are made: how many people at each index date, and which share of them is never seen in fitting.

    `people`: at most so many at each index date, the same ones each time; `fit_people`: at most so many of them to one fit, `check_people` to one of
    the many fits that only check the default model (other places, other seeds), and to what these are judged on. `outcome_lag_days`: what happened
    so shortly before the day may not have been told yet, so that follow-up ends so many days before it. `side_by_side`: so many models of
    different outcomes are made at a time, each on one core. A `challenger` takes the default model's place only if its AUROC is higher by
    `challenger_margin`. `outcomes`: empty for all.
    """

    people: int = Field(default=600_000, ge=1_000)
    fit_people: int = Field(default=200_000, ge=500)
    check_people: int = Field(default=40_000, ge=500)
    unseen_share: float = Field(default=0.1, ge=0, lt=0.5)
    outcome_lag_days: int = Field(default=14, ge=0, le=180)
    side_by_side: int = Field(default=2, ge=1, le=16)
    trials: int = Field(default=4, ge=1)
    trial_people: int = Field(default=40_000, ge=500)
    minimum_events: int = Field(default=100, ge=20)
    stability_seeds: int = Field(default=3, ge=2)
    challenger_margin: float = Field(default=0.005, ge=0, le=0.2)
    seed: int = Field(default=20_260_401, ge=0)
    outcomes: tuple[str, ...] = ()


class RiskWords(Section):
    """From which risk on (a probability) somebody is in which band, from the highest to the lowest. A local choice: no source gives these."""

    bands: dict[str, float] = Field(default_factory=lambda: {"very high": 0.5, "high": 0.3, "raised": 0.15, "average": 0.05, "low": 0.0})

    @field_validator("bands")
    @classmethod
    def _from_the_highest(cls, bands: dict[str, float]) -> dict[str, float]:
        """Tiers and words of risk are told by the order of the bands."""
        limits = list(bands.values())
        if not limits or limits != sorted(set(limits), reverse=True) or limits[0] > 1 or limits[-1] != 0 or "" in bands:
            raise ValueError("name the bands from the highest to the lowest, each from a smaller probability on than the one before, the last from 0")
        return bands


class Monitoring(Section):
    """When a score is red or amber: observed over expected outside these limits, drift of what goes in, and of calibration."""

    observed_over_expected: tuple[float, float] = (0.8, 1.25)
    calibration_slope: tuple[float, float] = (0.8, 1.2)
    population_stability: float = Field(default=0.25, gt=0)
    missing_points: float = Field(default=10.0, gt=0)


class Models(Section):
    """Which model scores: one line for each outcome and age group, `"emergency_admission_12m.adult" = "<model id>"`, changed by review only.

    On make-believe data the newest model does where none is named, and says DEMONSTRATION everywhere.
    """

    promoted: dict[str, str] = Field(default_factory=dict)


class EngineChoice(Section):
    """Where features are computed: DuckDB in this process, or Spark at a master URL or through Databricks Connect."""

    engine: str = Field(default="duckdb", pattern="^(duckdb|spark)$")
    spark_master: str = "local[2]"
    databricks_connect: bool = False
    memory_limit: str = Field(default="", pattern=r"^([0-9]+(\.[0-9]+)? ?(MB|GB|TB|MiB|GiB|TiB|m|g))?$")
    threads: int = Field(default=0, ge=0)


class Codelists(Section):
    """The site's own code lists: a folder, relative to the project unless absolute; empty: only the lists that are shipped."""

    folder: str = ""


class Folders(Section):
    """Where things lie, relative to the project unless absolute."""

    landing: str = "var/landing"
    store: str = "var/store"
    quarantine: str = "var/quarantine"
    products: str = "var/products"
    vault: str = "var/vault"
    spill: str = "var/spill"
    models: str = "var/models"


class Site(BaseSettings):
    """Everything in site.toml; unknown keys are refused so that a typing error never passes as a choice."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True)

    folders: Folders = Folders()
    geography: Geography = Geography()
    phasing: Phasing = Phasing()
    arrival: ArrivalLimits = ArrivalLimits()
    pseudonyms: Pseudonyms = Pseudonyms()
    objections: Objections = Objections()
    continuity: Continuity = Continuity()
    frailty: Frailty = Frailty()
    plus: Plus = Plus()
    continuity_need: ContinuityNeed = ContinuityNeed()
    lists: Lists = Lists()
    reviews: Reviews = Reviews()
    disclosure: Disclosure = Disclosure()
    releases: Releases = Releases()
    nights: Nights = Nights()
    retention: Retention = Retention()
    notices: Notices = Notices()
    training: Training = Training()
    risk: RiskWords = RiskWords()
    monitoring: Monitoring = Monitoring()
    models: Models = Models()
    engine: EngineChoice = EngineChoice()
    codelists: Codelists = Codelists()
    delivery: Delivery = Delivery()

    @model_validator(mode="after")
    def _folders_apart(self) -> Site:
        """What is released, or read by many, must not hold what nobody may see."""
        folders = {name: self.folder(name).resolve() for name in Folders.model_fields}
        for name, folder in folders.items():
            inside = [other for other, path in folders.items() if other != name and folder.is_relative_to(path)]
            if inside:
                raise ValueError(f"folders.{name} lies in folders.{inside[0]}; give each a folder of its own, none inside another")
        return self

    def folder(self, name: str) -> Path:
        """The absolute path of one of `[folders]`."""
        path = Path(getattr(self.folders, name))
        return path if path.is_absolute() else PROJECT_ROOT / path

    def codelists_folder(self) -> Path | None:
        """The absolute path of the site's own code lists; None where it has none."""
        path = Path(self.codelists.folder)
        return None if not self.codelists.folder else path if path.is_absolute() else PROJECT_ROOT / path

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is passed in and the TOML file count: no environment variable may change a figure unseen."""
        return (init_settings, TomlConfigSettingsSource(settings_cls, site_file()))


def site_file() -> Path:
    """The settings file in use: the one the environment variable FULLER_SITE names, else the project's own."""
    return Path(os.environ.get(SITE_FILE_VARIABLE, "") or PROJECT_ROOT / "site.toml")


def load_site() -> Site:
    """Read and validate the settings. Raises SettingsWrong naming each wrong key."""
    path = site_file()
    if os.environ.get(SITE_FILE_VARIABLE) and not path.is_file():
        raise SettingsWrong(
            f"{SITE_FILE_VARIABLE} names {path.name}, which is not a file; correct the variable or unset it to use the project's site.toml"
        )
    try:
        return Site()
    except ValidationError as wrong:
        places = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in wrong.errors(include_input=False))
        raise SettingsWrong(f"{path.name} cannot be used: {places}") from None
    except ValueError as wrong:
        raise SettingsWrong(f"{path.name} is not valid TOML: {wrong}") from None
