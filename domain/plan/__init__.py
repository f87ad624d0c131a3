"""What the firm sells: a challenge's phases, sizes and prices."""
