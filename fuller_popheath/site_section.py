"""What every section of site.toml has in common: unknown keys are refused, and nothing is guessed."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator


class Section(BaseModel):
    """A section: frozen, without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _no_guessing(cls, given: Any) -> Any:
        """A typing error must not pass as a choice: "no" is not false, and true is not 1."""
        for name, value in given.items() if isinstance(given, dict) else ():
            wanted = cls.model_fields[name].annotation if name in cls.model_fields else None
            if wanted in (bool, int, float) and isinstance(value, bool | str) and not (wanted is bool and isinstance(value, bool)):
                raise ValueError(f"{name} must be {'true or false' if wanted is bool else 'a number'}, without quotation marks")
        return given
