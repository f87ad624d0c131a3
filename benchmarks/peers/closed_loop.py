"""Clients that each wait for their answer, served by a pool of threads."""

from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from time import perf_counter
from typing import Protocol
from uuid import UUID

from eventsourcing.persistence import IntegrityError


class Desk(Protocol):
    """Where a command arrives."""

    accounts: tuple[UUID, ...]

    def trade(self, account_id: UUID) -> None: ...


def commands_per_second(desk: Desk, threads: int, clients: int, commands: int) -> float:
    """A command is in a thread or in the queue: `clients` of them at any time."""
    each_once(desk, threads)  # warm, and one position each
    waiting: SimpleQueue[UUID] = SimpleQueue()
    turns = (desk.accounts[n % len(desk.accounts)] for n in range(commands))
    for _ in range(clients):
        waiting.put(next(turns))
    later: SimpleQueue[UUID] = SimpleQueue()
    for account_id in turns:
        later.put(account_id)

    def serve() -> None:
        while True:
            try:
                account_id = waiting.get_nowait()
            except Empty:
                return
            persistently(desk, account_id)
            try:
                waiting.put(
                    later.get_nowait()
                )  # the client has its answer, and asks on
            except Empty:
                continue

    with ThreadPoolExecutor(threads) as pool:
        began = perf_counter()
        serving = [pool.submit(serve) for _ in range(threads)]
        for each in serving:
            each.result()
        return commands / (perf_counter() - began)


def each_once(desk: Desk, threads: int) -> None:
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(desk.trade, desk.accounts))


def persistently(desk: Desk, account_id: UUID) -> None:
    """Try again when somebody else's event came first."""
    while True:
        try:
            desk.trade(account_id)
        except IntegrityError:
            continue
        return
