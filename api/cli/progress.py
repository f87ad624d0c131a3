"""How far long work is, on stderr: a bar for a person, its end for a file."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn

Heard = Callable[[int], None]


@contextmanager
def progress() -> Iterator[Progress]:
    columns = (*Progress.get_default_columns(), MofNCompleteColumn())
    console = Console(stderr=True)
    with Progress(*columns, TimeElapsedColumn(), console=console) as bars:
        yield bars


def bar(bars: Progress, what: str, total: int | None) -> Heard:
    """Give what hears how much is done. `total` None: nobody knows of how much.

    Such a bar is shown once there is something to tell: mostly there is not.
    """
    task = bars.add_task(what, total=total, visible=total is not None)

    def heard(done: int) -> None:
        more = None if total is None else max(total, done)  # a log may grow meanwhile
        bars.update(task, completed=done, total=more, visible=True)

    return heard
