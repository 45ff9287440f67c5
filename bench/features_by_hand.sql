-- Twenty columns of the feature store as one would write them by hand for DuckDB. Reviewed against the contracts in data_contracts/features.
-- Views event, measurement, medication_issue, contact, spell: the parts. Tables person (with person_row) and codelist. Variable as_of.
-- Every record counts if it happened and was recorded before as_of.

-- Long-term conditions, one row a person and cluster.
CREATE OR REPLACE TEMP TABLE coded AS
SELECT p.person_row, c.cluster,
       min(e.event_date) FILTER (c.kind <> 'resolved') AS first_date,
       max(e.event_date) FILTER (c.kind <> 'resolved') AS last_date,
       max(e.event_date) FILTER (c.kind = 'resolved') AS last_resolved_date
FROM (SELECT person_id, event_date, recorded_date, code_system, code FROM event
      UNION ALL
      SELECT person_id, event_date, recorded_date, code_system, code FROM measurement) e
JOIN codelist c ON c.code = e.code AND c.code_system = e.code_system AND c.kind IN ('condition', 'resolved', 'other')
JOIN person p ON p.person_id = e.person_id
WHERE e.event_date < getvariable('as_of') AND e.recorded_date < getvariable('as_of')
GROUP BY ALL
HAVING count(*) FILTER (c.kind <> 'resolved') > 0;

CREATE OR REPLACE TEMP TABLE medicine AS
SELECT p.person_row, c.cluster, count(*) AS issues
FROM medication_issue m
JOIN codelist c ON c.code = m.code AND c.code_system = m.code_system AND c.kind = 'medicine'
JOIN person p ON p.person_id = m.person_id
WHERE m.issue_date >= getvariable('as_of') - 365 AND m.issue_date < getvariable('as_of') AND m.recorded_date < getvariable('as_of')
GROUP BY ALL;

CREATE OR REPLACE TEMP TABLE medicines AS
SELECT person_row, count(*) AS medicines, sum(issues)::BIGINT AS issues FROM medicine GROUP BY person_row;

CREATE OR REPLACE TEMP TABLE condition AS
SELECT person_row,
       bool_or(cluster = 'hypertension' AND holds) AS hypertension,
       bool_or(cluster = 'copd' AND holds) AS copd,
       bool_or(cluster = 'diabetes' AND holds) AS diabetes,
       max(CASE WHEN cluster = 'atrial_fibrillation' AND holds THEN getvariable('as_of') - first_date END) AS days_since_af
FROM (SELECT *, coalesce(last_date > last_resolved_date, true) AS holds FROM coded
      WHERE cluster IN ('hypertension', 'copd', 'diabetes', 'atrial_fibrillation'))
GROUP BY person_row;

-- The electronic frailty index: how many of its 35 coded deficits were ever coded.
CREATE OR REPLACE TEMP TABLE deficits AS
SELECT person_row, count(DISTINCT deficit) AS deficits
FROM coded
JOIN (VALUES
    ('activity_limitation', 1), ('anaemia', 2), ('arthritis', 3), ('rheumatoid_arthritis', 3), ('atrial_fibrillation', 4), ('stroke_tia', 5),
    ('chronic_kidney_disease', 6), ('diabetes', 7), ('diabetes_type_1', 7), ('dizziness', 8), ('dyspnoea', 9), ('falls', 10),
    ('foot_problems', 11), ('fragility_fracture', 12), ('hearing_loss', 13), ('heart_failure', 14), ('heart_valve_disease', 15),
    ('housebound', 16), ('hypertension', 17), ('hypotension_syncope', 18), ('coronary_heart_disease', 19), ('myocardial_infarction', 19),
    ('memory_cognitive', 20), ('dementia', 20), ('mobility_problems', 21), ('osteoporosis', 22), ('parkinsons_disease', 23),
    ('peptic_ulcer', 24), ('peripheral_arterial_disease', 25), ('requirement_for_care', 26), ('care_home', 26), ('respiratory_disease', 27),
    ('asthma', 27), ('copd', 27), ('bronchiectasis', 27), ('skin_ulcer', 28), ('sleep_disturbance', 29), ('social_vulnerability', 30),
    ('thyroid_disease', 31), ('urinary_incontinence', 32), ('urinary_system_disease', 33), ('visual_impairment', 34), ('weight_loss', 35)
) AS d (cluster, deficit) USING (cluster)
GROUP BY person_row;

-- The latest day with a reading; several of one day count as their mean, in whole thousandths.
CREATE OR REPLACE TEMP TABLE reading AS
SELECT person_row,
       max(CASE WHEN cluster = 'systolic_bp' THEN value END) AS systolic_bp,
       max(CASE WHEN cluster = 'systolic_bp' THEN event_date END) AS systolic_bp_date,
       max(CASE WHEN cluster = 'hba1c' THEN value END) AS hba1c
FROM (SELECT person_row, cluster, event_date, floor(sum(floor(value * 1000 + 0.5)) / count(*) + 0.5) / 1000 AS value
      FROM (SELECT p.person_row, c.cluster, m.event_date, m.value, max(m.event_date) OVER (PARTITION BY p.person_row, c.cluster) AS latest
            FROM measurement m
            JOIN codelist c ON c.code = m.code AND c.code_system = m.code_system AND c.kind = 'measure' AND c.cluster IN ('systolic_bp', 'hba1c')
            JOIN person p ON p.person_id = m.person_id
            WHERE m.event_date < getvariable('as_of') AND m.recorded_date < getvariable('as_of'))
      WHERE event_date = latest
      GROUP BY ALL)
GROUP BY person_row;

CREATE OR REPLACE TEMP TABLE seen AS
SELECT p.person_row,
       count(CASE WHEN c.status = 'attended' AND c.clinician_type IN ('gp', 'gp_locum') AND c.contact_date >= getvariable('as_of') - 365 THEN 1 END)
           AS gp_contacts_365,
       count(CASE WHEN c.status = 'attended' THEN 1 END) AS contacts_730,
       count(CASE WHEN c.status = 'did_not_attend' AND c.contact_date >= getvariable('as_of') - 365 THEN 1 END) AS missed_365
FROM contact c JOIN person p ON p.person_id = c.person_id
WHERE c.contact_date >= getvariable('as_of') - 730 AND c.contact_date < getvariable('as_of') AND c.recorded_date < getvariable('as_of')
GROUP BY p.person_row;

-- Continuity received: contacts with a known GP, without triage, group, written and external ones; null under three.
CREATE OR REPLACE TEMP TABLE continuity AS
SELECT person_row,
       CASE WHEN sum(n) >= 3 THEN max(n) / sum(n) END AS upc,
       CASE WHEN sum(n) >= 3 THEN (sum(n * n) - sum(n)) / (sum(n) * (sum(n) - 1)) END AS coc,
       CASE WHEN sum(n) >= 3 THEN sum(again) / (sum(n) - 1) END AS secon
FROM (SELECT person_row, clinician_id, count(*) AS n, count(CASE WHEN clinician_id = previous THEN 1 END) AS again
      FROM (SELECT p.person_row, c.clinician_id,
                   lag(c.clinician_id) OVER (
                       PARTITION BY p.person_row ORDER BY c.contact_date, c.start_minute NULLS LAST, c.clinician_id
                   ) AS previous
            FROM contact c JOIN person p ON p.person_id = c.person_id
            WHERE c.contact_date >= getvariable('as_of') - 730 AND c.contact_date < getvariable('as_of')
              AND c.recorded_date < getvariable('as_of') AND c.status = 'attended' AND c.clinician_type = 'gp' AND c.clinician_id IS NOT NULL
              AND coalesce(c.mode, '') <> 'written'
              AND coalesce(c.category, '') NOT IN ('clinical_triage', 'group_consultation', 'external_service', 'non_contractual'))
      GROUP BY ALL)
GROUP BY person_row;

CREATE OR REPLACE TEMP TABLE stay AS
SELECT p.person_row,
       count(CASE WHEN s.is_emergency AND s.admission_date >= getvariable('as_of') - 365 THEN 1 END) AS emergency_365,
       least(sum(greatest(
           least(coalesce(s.discharge_date, getvariable('as_of')), getvariable('as_of')) - greatest(s.admission_date, getvariable('as_of') - 365),
           0)), 365)::BIGINT AS nights_365
FROM spell s JOIN person p ON p.person_id = s.person_id
WHERE s.admission_date < getvariable('as_of') AND s.recorded_date < getvariable('as_of')
GROUP BY p.person_row;

SELECT p.person_id,
       coalesce(c.hypertension, false) AS has_hypertension,
       coalesce(c.copd, false) AS has_copd,
       coalesce(c.diabetes AND p.age_years >= 17, false) AS has_diabetes,
       c.days_since_af::BIGINT AS days_since_first_atrial_fibrillation,
       coalesce(d.deficits, 0) + CASE WHEN m.medicines >= 5 THEN 1 ELSE 0 END AS efi_deficit_count,
       CASE WHEN p.age_years < 65 THEN NULL
            WHEN efi_deficit_count >= 13 THEN 'severe'
            WHEN efi_deficit_count >= 9 THEN 'moderate'
            WHEN efi_deficit_count >= 5 THEN 'mild'
            ELSE 'fit' END AS efi_category,
       coalesce(m.medicines, 0) AS medicine_count_365,
       coalesce(m.issues, 0) AS issue_count_365,
       coalesce(m.medicines >= 5, false) AS has_polypharmacy,
       r.systolic_bp AS latest_systolic_bp,
       (getvariable('as_of') - r.systolic_bp_date)::BIGINT AS days_since_systolic_bp,
       r.hba1c AS latest_hba1c,
       coalesce(s.gp_contacts_365, 0) AS gp_contact_count_365,
       coalesce(s.contacts_730, 0) AS contact_count_730,
       coalesce(s.missed_365, 0) AS did_not_attend_count_365,
       y.upc AS continuity_upc,
       y.coc AS continuity_coc,
       y.secon AS continuity_secon,
       coalesce(h.emergency_365, 0) AS emergency_admission_count_365,
       coalesce(h.nights_365, 0) AS bed_day_count_365
FROM person p
LEFT JOIN condition c USING (person_row)
LEFT JOIN deficits d USING (person_row)
LEFT JOIN medicines m USING (person_row)
LEFT JOIN reading r USING (person_row)
LEFT JOIN seen s USING (person_row)
LEFT JOIN continuity y USING (person_row)
LEFT JOIN stay h USING (person_row)
ORDER BY p.person_row;
