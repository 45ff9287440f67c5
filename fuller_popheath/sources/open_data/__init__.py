"""Published open data: one module a layout, each declaring `SOURCE`."""
