"""What is stored, by subject. Times are timezone-aware UTC, JSON values are plain."""
