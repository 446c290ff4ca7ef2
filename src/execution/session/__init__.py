"""The host's side of one run in a box: sends the job and the prices, checks every reply."""
