"""From features to risks: index dates, fitting, evaluation, explanation, the model store, scoring and monitoring.

What is predicted, with what, and what reasons say stands in the catalogue.
"""
