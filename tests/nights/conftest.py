"""Thirty nights take half an hour: they run where they are asked for (`pytest -m nights`), and are left out everywhere else."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "nights" in str(config.getoption("-m")):
        return
    left_out = [item for item in items if item.get_closest_marker("nights")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
