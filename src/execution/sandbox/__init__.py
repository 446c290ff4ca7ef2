"""The boxes in which untrusted code runs: one port, and one file for each way to build a box."""
