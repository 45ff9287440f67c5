"""PLUS groups by place: they count only where site.toml names them, for they need a file that the site supplies (reference/lsoa_classification)."""
