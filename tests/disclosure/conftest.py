"""Hypothesis here: the same cases in every run, and no test that fails because the machine is busy."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("house", deadline=None, derandomize=True)
settings.load_profile("house")
