"""The columns of a practice list in our own layout, with the headers it has come under. Reading it is `own_layout`'s."""

from __future__ import annotations

from fuller_popheath.sources.canonical import as_code, as_date, as_flag, as_lower, as_nhs_number, as_sex, as_text
from fuller_popheath.sources.layouts import Layout, LayoutColumn

# The first eleven must be there, though many values may be blank: a list without, say, its end dates would register everyone for ever.
PRACTICE_LIST = Layout(
    (
        LayoutColumn("extract_date", ("extract_date",), as_date),
        LayoutColumn("practice_code", ("practice_code", "organisation_code", "ods_code"), as_code),
        LayoutColumn("nhs_number", ("nhs_number", "NHS no"), as_nhs_number),
        LayoutColumn("date_of_birth", ("date_of_birth", "DOB", "birth_date"), as_date),
        LayoutColumn("sex", ("sex",), as_sex),
        LayoutColumn("ethnic_category", ("ethnic_category", "ethnicity", "ethnic_group"), as_code),
        LayoutColumn("lsoa_code", ("lsoa_code", "lsoa"), as_code),
        LayoutColumn("registration_start_date", ("registration_start_date", "registration_start", "registered_date"), as_date),
        LayoutColumn("registration_end_date", ("registration_end_date", "registration_end", "deregistered_date"), as_date),
        LayoutColumn("usual_gp_code", ("usual_gp_code", "usual_gp"), as_code),
        LayoutColumn("death_date", ("death_date", "date_of_death", "DOD"), as_date),
        LayoutColumn("patient_id", ("patient_id",), as_text, needed=False),
        LayoutColumn("registration_type", ("registration_type",), as_lower, needed=False),
        LayoutColumn("postcode", ("postcode",), as_code, needed=False),
        LayoutColumn("is_sensitive", ("is_sensitive",), as_flag, needed=False),
    )
)
