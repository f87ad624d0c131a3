"""Adapters: the log, the servers that come with the product, feeds, identity."""
