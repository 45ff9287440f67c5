"""The landing folder: what came, which file counts for which day, what was read, accepted and quarantined."""
