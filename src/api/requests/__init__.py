"""What a client sends: bodies, keys and the submission of a run."""
