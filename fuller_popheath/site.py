"""site.toml, validated: the choices that belong to the place that runs this, with defaults for all of them."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from fuller_popheath.errors import SettingsWrong

PROJECT_ROOT = Path(__file__).resolve().parents[1]
SITE_FILE_VARIABLE = "FULLER_SITE"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Wave(_Section):
    """One wave of the phasing plan: the PCNs whose Core20 share (percent of registered people, as shown) is at least the threshold."""

    name: str
    core20_percent_at_least: float = Field(ge=0, le=100)
    due_date: date | None = None


class Geography(_Section):
    """Which ICB and place a sub-ICB belongs to, where the files do not say; and neighbourhoods that are not PCNs."""

    icb: str = ""
    icb_of_sub_icb: dict[str, str] = Field(default_factory=dict)
    icb_names: dict[str, str] = Field(default_factory=dict)
    place_of_sub_icb: dict[str, str] = Field(default_factory=dict)
    place_names: dict[str, str] = Field(default_factory=dict)
    neighbourhood_of_practice: dict[str, str] = Field(default_factory=dict)
    neighbourhood_names: dict[str, str] = Field(default_factory=dict)


class Phasing(_Section):
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


class ArrivalLimits(_Section):
    """When a file is too poor to be used, and when a change since last time is worth a warning. All in percent."""

    max_quarantined_percent: float = Field(default=5.0, ge=0, le=100)
    list_size_change_percent: float = Field(default=5.0, ge=0)
    unmatched_percent: float = Field(default=1.0, ge=0, le=100)
    refuse_unmatched_percent: float = Field(default=5.0, ge=0, le=100)
    practice_coverage_percent: float = Field(default=95.0, ge=0, le=100)
    max_file_megabytes: int = Field(default=4096, gt=0)


class Folders(_Section):
    """Where things lie, relative to the project unless absolute."""

    landing: str = "var/landing"
    store: str = "var/store"
    quarantine: str = "var/quarantine"
    products: str = "var/products"


class Site(BaseSettings):
    """Everything in site.toml; unknown keys are refused so that a typing error never passes as a choice."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True)

    folders: Folders = Folders()
    geography: Geography = Geography()
    phasing: Phasing = Phasing()
    arrival: ArrivalLimits = ArrivalLimits()

    def folder(self, name: str) -> Path:
        """The absolute path of one of `[folders]`."""
        path = Path(getattr(self.folders, name))
        return path if path.is_absolute() else PROJECT_ROOT / path

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
