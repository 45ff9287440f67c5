"""Who is in which group: one file a scheme, everybody in exactly one group of each."""
