"""The boxes in which strangers' code runs: one port, and one file for each way to build a box."""
