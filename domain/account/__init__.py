"""One simulated trading account, for one phase of a challenge."""
