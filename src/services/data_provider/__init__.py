"""Price sources: the port, the table every provider fills, and the providers."""
