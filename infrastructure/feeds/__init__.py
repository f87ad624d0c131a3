"""The market of the live venue: real hours replayed, and a seeded simulation.

Every price is a function of (seed, symbol, time). A restart goes on where the
market would have been, and two engines with one seed see the same quotes.
"""
