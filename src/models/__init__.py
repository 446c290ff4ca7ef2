"""Pydantic models that cross the HTTP boundary: requests and answers."""
