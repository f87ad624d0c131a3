"""What follows from what has happened: event in, command out."""
