"""Foreign contracts: each folder holds one with its shapes, translation and route."""
