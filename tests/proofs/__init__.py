"""What the guarantees promise, shown on real processes that are really killed."""
