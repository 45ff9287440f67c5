"""The make-believe people of indicators, made once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .indicator_example import inputs_of_people

if TYPE_CHECKING:
    import pyarrow as pa


@pytest.fixture(scope="module")
def inputs() -> dict[str, pa.Table]:
    return inputs_of_people()
