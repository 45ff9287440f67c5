"""PLUS groups of Core20PLUS5: one file a group."""
