"""A person's way in: `python -m src`."""
