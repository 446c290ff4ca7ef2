"""Pydantic shapes that cross the HTTP boundary: what a person sends, what a chart can draw."""
