"""The client: HTTP to a service, with nothing but the standard library. Its public names are in `hqg_backtester`."""
