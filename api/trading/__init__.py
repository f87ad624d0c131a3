"""The doors of the trading core: commands in, what they decided out."""
