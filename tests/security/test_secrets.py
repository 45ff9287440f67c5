"""Dagster keeps the settings of a run in the clear and shows them to every reader: nothing secret, and nobody's number, has a place among them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import dagster as dg
from dagster._config import ConfigType

SECRET = re.compile("key|secret|password|passwd|token|credential|nhs|person|patient|number", re.IGNORECASE)
OF_DAGSTER = {"loggers", "execution", "io_manager"}


def fields(kind: ConfigType, seen: frozenset[str] = frozenset()) -> Iterator[str]:
    """The names of every field below a kind of settings."""
    for name, field in getattr(kind, "fields", {}).items():
        if name not in OF_DAGSTER and name not in seen:
            yield name
            yield from fields(field.config_type, seen | {name})
    inner = getattr(kind, "inner_type", None)
    if inner is not None:
        yield from fields(inner, seen)


def test_no_job_can_be_given_a_secret() -> None:
    from pipelines.definitions import defs

    loaded = defs()
    assert isinstance(loaded, dg.Definitions)
    for job in loaded.get_repository_def().get_all_jobs():
        names = set(fields(job.run_config_schema.config_type)) - {node.name for node in job.nodes}
        assert job.name != "nightly" or names >= {"as_of", "landing", "edition", "icb"}, "the search sees what there is"
        assert [name for name in sorted(names) if SECRET.search(name)] == [], job.name
