"""Plans to begin with, as data: each passes the linter, each may be changed."""
