"""Prices from Yahoo: its answers, checked, on a session of our own."""
