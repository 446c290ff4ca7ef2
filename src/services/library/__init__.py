"""What users save for later runs."""
