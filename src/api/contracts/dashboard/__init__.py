"""The dashboard's contract: a run as a job."""
