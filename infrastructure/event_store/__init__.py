"""The log: PostgreSQL and memory, written by one engine, read without gaps."""
