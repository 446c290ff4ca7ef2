"""The use cases of the service, room above room, on top of the execution packages."""
