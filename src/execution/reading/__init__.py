"""Reads a source without running it: its description, and every rule it breaks."""
