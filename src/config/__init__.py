"""Everything an operator can set, read once at the start."""
