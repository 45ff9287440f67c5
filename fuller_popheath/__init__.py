"""Population-health tables, models and lists for an Integrated Care System: tables in, tables out, no orchestrator."""
