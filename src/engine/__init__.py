"""The simulation: prices and weights in, a ledger out; no I/O, no clock, no randomness."""
