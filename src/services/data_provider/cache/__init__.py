"""The answers of a slow source, kept in files and in memory and extended by what is new."""
