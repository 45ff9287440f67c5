"""Indicators of Core20PLUS5 and prevention, one file each (or one for several that differ by a single thing).

What does not belong here: counting by area, intervals, and hiding small numbers.
"""
