"""Where prices come from: the port, the table every provider fills, and the providers."""
