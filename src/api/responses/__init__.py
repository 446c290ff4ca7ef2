"""What a client gets: runs, results, files and streams."""
