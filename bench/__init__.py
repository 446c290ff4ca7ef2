"""Benchmarks of the service's parts against libraries that do the same job."""
