"""What a trader buys: phases in order, a fresh account for each, then funded."""
