"""Recomputes every result from the prices sent in and the box's orders."""
