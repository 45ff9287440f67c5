-- Twenty columns of the feature store as one would write them by hand for DuckDB. Reviewed against the contracts in data_contracts/features.
-- Views event, measurement, medication_issue, contact, spell, ed_attendance: the parts. Tables person (with person_row) and codelist. Variable as_of.
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

-- Medicines of the last year, one row a person and cluster.
CREATE OR REPLACE TEMP TABLE medicine AS
SELECT p.person_row, c.cluster, count(CASE WHEN m.issue_date >= getvariable('as_of') - 90 THEN 1 END) AS issues_90
FROM medication_issue m
JOIN codelist c ON c.code = m.code AND c.code_system = m.code_system AND c.kind = 'medicine'
JOIN person p ON p.person_id = m.person_id
WHERE m.issue_date >= getvariable('as_of') - 365 AND m.issue_date < getvariable('as_of') AND m.recorded_date < getvariable('as_of')
GROUP BY ALL;

-- A glucose sensor is issued like a medicine, and is none.
CREATE OR REPLACE TEMP TABLE medicines AS
SELECT person_row, count(*) AS issued_things, count(*) FILTER (WHERE cluster <> 'glucose_sensor') AS medicines,
       (sum(issues_90) FILTER (WHERE cluster <> 'glucose_sensor'))::BIGINT AS issues_90,
       bool_or(cluster IN ('bronchodilator_saba', 'inhaled_corticosteroid')) AS for_asthma
FROM medicine GROUP BY person_row;

CREATE OR REPLACE TEMP TABLE condition AS
SELECT person_row,
       bool_or(cluster = 'hypertension') AS hypertension,
       bool_or(cluster = 'asthma') AS asthma,
       max(CASE WHEN cluster = 'atrial_fibrillation' THEN getvariable('as_of') - first_date END) AS days_since_af
FROM coded
WHERE cluster IN ('hypertension', 'asthma', 'atrial_fibrillation') AND coalesce(last_date > last_resolved_date, true)
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

-- Readings by day; several of one day count as their mean, in whole thousandths.
CREATE OR REPLACE TEMP TABLE reading AS
SELECT p.person_row, c.cluster, m.event_date, (m.event_date - getvariable('as_of'))::BIGINT AS day,
       floor(sum(floor(m.value * 1000 + 0.5)) / count(*) + 0.5)::BIGINT AS thousandths
FROM measurement m
JOIN codelist c ON c.code = m.code AND c.code_system = m.code_system AND c.kind = 'measure' AND c.cluster IN ('systolic_bp', 'bmi')
JOIN person p ON p.person_id = m.person_id
WHERE m.event_date < getvariable('as_of') AND m.recorded_date < getvariable('as_of')
GROUP BY ALL;

-- The latest reading, and the least-squares slope over the days of three years: units a year.
CREATE OR REPLACE TEMP TABLE readings AS
SELECT person_row,
       arg_max(thousandths, day) FILTER (cluster = 'systolic_bp') / 1000 AS systolic_bp,
       -max(day) FILTER (cluster = 'systolic_bp') AS days_since_systolic_bp,
       arg_max(thousandths, day) FILTER (cluster = 'bmi') / 1000 AS bmi,
       max(event_date) FILTER (cluster = 'bmi') AS bmi_date,
       count(*) FILTER (trend) AS n,
       sum(day) FILTER (trend) AS x,
       sum(thousandths) FILTER (trend) AS y,
       sum(day * thousandths) FILTER (trend) AS xy,
       sum(day * day) FILTER (trend) AS xx,
       CASE WHEN n * xx - x * x > 0 THEN (n * xy - x * y)::DOUBLE / (n * xx - x * x)::DOUBLE * 365.25 / 1000 END AS slope
FROM (SELECT *, cluster = 'systolic_bp' AND day >= -1095 AS trend FROM reading)
GROUP BY person_row;

CREATE OR REPLACE TEMP TABLE seen AS
SELECT p.person_row,
       count(CASE WHEN c.clinician_type IN ('gp', 'gp_locum') AND c.contact_date >= getvariable('as_of') - 365 THEN 1 END) AS gp_contacts_365,
       count(CASE WHEN c.mode = 'telephone' THEN 1 END) AS telephone_contacts_730,
       count(DISTINCT CASE WHEN c.contact_date >= getvariable('as_of') - 365 THEN c.clinician_id END) AS clinicians_365
FROM contact c JOIN person p ON p.person_id = c.person_id
WHERE c.contact_date >= getvariable('as_of') - 730 AND c.contact_date < getvariable('as_of') AND c.recorded_date < getvariable('as_of')
  AND c.status = 'attended'
GROUP BY p.person_row;

-- Continuity received: contacts with a known GP, without triage, group, written and external ones; null under three.
CREATE OR REPLACE TEMP TABLE continuity AS
SELECT person_row,
       CASE WHEN sum(n) >= 3 THEN max(n) / sum(n) END AS upc,
       CASE WHEN sum(n) >= 3 THEN sum(again) / (sum(n) - 1) END AS secon,
       CASE WHEN sum(n) >= 3 AND bool_or(has_usual) THEN sum(with_usual) / sum(n) END AS usual_gp_share
FROM (SELECT person_row, clinician_id, count(*) AS n, count(CASE WHEN clinician_id = previous THEN 1 END) AS again,
             count(CASE WHEN clinician_id = usual_gp_code AND practice_code = home THEN 1 END) AS with_usual,
             bool_or(usual_gp_code IS NOT NULL) AS has_usual
      FROM (SELECT p.person_row, p.usual_gp_code, p.practice_code AS home, c.practice_code, c.clinician_id,
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

-- Stays: an open one once, not where a later record of it has ended, and for 90 days after it was last known.
CREATE OR REPLACE TEMP TABLE spell_once AS
SELECT *, coalesce(discharge_date, least(getvariable('as_of'), greatest(admission_date, recorded_date) + 90)) AS until_date
FROM (SELECT * REPLACE (CASE WHEN discharge_date < getvariable('as_of') THEN discharge_date END AS discharge_date) FROM spell)
WHERE admission_date < getvariable('as_of') AND recorded_date < getvariable('as_of')
QUALIFY discharge_date IS NOT NULL
     OR (row_number() OVER (PARTITION BY person_id, provider_code, admission_date, discharge_date IS NULL
                            ORDER BY recorded_date DESC, admission_method) = 1
         AND coalesce(max(CASE WHEN discharge_date > admission_date THEN recorded_date END)
                      OVER (PARTITION BY person_id, provider_code, admission_date) <= recorded_date, true));

CREATE OR REPLACE TEMP TABLE stay AS
SELECT p.person_row,
       count(CASE WHEN s.is_emergency AND s.admission_date >= getvariable('as_of') - 365 THEN 1 END) AS emergency_365,
       least(sum(greatest(
           s.until_date - greatest(s.admission_date, getvariable('as_of') - 365),
           0)), 365)::BIGINT AS nights_365
FROM spell_once s JOIN person p ON p.person_id = s.person_id
GROUP BY p.person_row;

CREATE OR REPLACE TEMP TABLE attended AS
SELECT p.person_row, count(*) AS attendances_90
FROM ed_attendance e JOIN person p ON p.person_id = e.person_id
WHERE e.arrival_date >= getvariable('as_of') - 90 AND e.arrival_date < getvariable('as_of') AND e.recorded_date < getvariable('as_of')
GROUP BY p.person_row;

SELECT p.person_id,
       coalesce(c.hypertension, false) AS has_hypertension,
       coalesce(c.asthma AND m.for_asthma AND p.age_years >= 6, false) AS has_asthma,
       coalesce(r.bmi >= CASE WHEN p.ethnic_category IN ('H', 'J', 'K', 'L', 'M', 'N', 'R') THEN 27.5 ELSE 30 END
                AND r.bmi_date >= getvariable('as_of') - 365 AND p.age_years >= 18, false) AS has_obesity,
       c.days_since_af::BIGINT AS days_since_first_atrial_fibrillation,
       coalesce(d.deficits, 0) + CASE WHEN m.issued_things >= 5 THEN 1 ELSE 0 END AS efi_deficit_count,
       CASE WHEN p.age_years < 65 THEN NULL
            WHEN efi_deficit_count >= 13 THEN 'severe'
            WHEN efi_deficit_count >= 9 THEN 'moderate'
            WHEN efi_deficit_count >= 5 THEN 'mild'
            ELSE 'fit' END AS efi_category,
       coalesce(m.medicines, 0) AS medicine_count_365,
       coalesce(m.issues_90, 0) AS issue_count_90,
       r.systolic_bp AS latest_systolic_bp,
       r.days_since_systolic_bp,
       r.slope AS systolic_bp_change_per_year,
       coalesce(s.gp_contacts_365, 0) AS gp_contact_count_365,
       coalesce(s.telephone_contacts_730, 0) AS telephone_contact_count_730,
       coalesce(s.clinicians_365, 0) AS clinician_count_365,
       y.upc AS continuity_upc,
       y.secon AS continuity_secon,
       y.usual_gp_share,
       coalesce(h.emergency_365, 0) AS emergency_admission_count_365,
       coalesce(h.nights_365, 0) AS bed_day_count_365,
       coalesce(a.attendances_90, 0) AS ed_attendance_count_90
FROM person p
LEFT JOIN condition c USING (person_row)
LEFT JOIN deficits d USING (person_row)
LEFT JOIN medicines m USING (person_row)
LEFT JOIN readings r USING (person_row)
LEFT JOIN seen s USING (person_row)
LEFT JOIN continuity y USING (person_row)
LEFT JOIN stay h USING (person_row)
LEFT JOIN attended a USING (person_row)
ORDER BY p.person_row;
