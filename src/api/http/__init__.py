"""What every request passes and every response shares: middleware, log-in, limits, errors."""
