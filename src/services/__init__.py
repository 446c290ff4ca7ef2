"""What the service does: one use case a file, on top of the execution rooms and the ports beside it."""
