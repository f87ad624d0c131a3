"""What is shown of a state, in the words and shapes of the public contract."""
