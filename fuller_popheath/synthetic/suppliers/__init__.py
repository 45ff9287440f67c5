"""The make-believe practices' records as their clinical systems would send them: EMIS Web and TPP SystmOne bulk extracts, one folder a practice."""
