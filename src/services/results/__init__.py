"""What a run leaves: its result, files, report and chain of manifests."""
