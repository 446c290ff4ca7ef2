"""HTTP in, HTTP out: no business rule lives here."""
