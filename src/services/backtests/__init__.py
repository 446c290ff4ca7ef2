"""One backtest: prepare what decides its result, then execute it."""
