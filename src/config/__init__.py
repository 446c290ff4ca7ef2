"""All operator settings, read once at startup."""
