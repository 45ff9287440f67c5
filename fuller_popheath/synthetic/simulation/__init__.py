"""People of a make-believe practice, simulated forward in time: what happens to them, and what of it is recorded.

Grain and method stand in the modules: cohort (who, and their hidden traits), conditions (long-term conditions and when they began), hazards (how
likely what is), contacts, events, medicines, hospital (what happens and is recorded), truth (the probabilities behind it), practice (one practice
put together), calibrating (how the fitted constants were found). Hidden traits are never written in any record. What does not belong here: files.
"""
