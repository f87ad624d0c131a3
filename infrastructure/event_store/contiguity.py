"""What every journal asks of a batch before it stores it: no position left out."""

from application.engine.journal import Batch, Head


def require_contiguous(head: Head, batch: Batch) -> None:
    """Raise `ValueError` for a batch that skips or repeats: a bug of its writer."""
    first = batch.position - len(batch.events) + 1
    positions = tuple(event.position for event in batch.events)
    if positions != tuple(range(first, batch.position + 1)):
        message = f"positions {positions} do not end at {batch.position}"
        raise ValueError(message)
    if batch.number == head.batch + 1 and first != head.position + 1:
        message = f"batch starts at {first}, the log ends at {head.position}"
        raise ValueError(message)
