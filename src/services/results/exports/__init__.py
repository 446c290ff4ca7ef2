"""Tables of a result as CSV and parquet."""
