"""The whole product on one machine, from one command."""
