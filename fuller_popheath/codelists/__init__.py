"""Code lists and published weights: small CSV files, and what reads them. What does not belong here: records of people."""
