"""The live page: rendered here, kept current in the browser, asking no other host."""
