"""Prices from a folder of the user's files: understood, or refused with the row and column."""
