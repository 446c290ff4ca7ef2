"""Who is next: clients take turns for a bounded number of readings and runs."""
