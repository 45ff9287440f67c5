"""The night as Dagster assets: the only importer of dagster, and no arithmetic. Everything that computes is in `fuller_popheath`."""
