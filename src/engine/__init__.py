"""The simulation: prices and weights in, a ledger out; no input or output, no clock, no randomness."""
