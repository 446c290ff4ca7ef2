"""Made-up prices, the same on every machine."""
