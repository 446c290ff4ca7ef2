"""Programs used by the Makefile."""
