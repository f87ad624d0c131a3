"""Run one seed again: `python -m tests.simulation SEED COMMANDS`."""

import sys

from msgspec import json

from tests.simulation.world import simulated

if __name__ == "__main__":
    seed, commands = map(int, sys.argv[1:])
    sys.stdout.buffer.write(json.encode(simulated(seed, commands)) + b"\n")
