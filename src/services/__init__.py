"""The use cases of the service, one per file, on top of the execution packages and the ports beside them."""
