"""Benchmarks: figures with the machine and the scale beside them. Never part of the tests."""
