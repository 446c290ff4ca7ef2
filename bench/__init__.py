"""Benchmarks: how fast the service's parts are beside libraries that do the same job."""
