"""The contract of the first service."""
