"""Log lines are written by a thread of their own: no request waits for a disk."""

import logging
import queue
import sys
import threading
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TextIO

import msgspec
import structlog
from structlog.types import EventDict, WrappedLogger

from application.clock import Clock

LINES: Final = 10_000  # beyond that, lines are dropped and counted

Line = dict[str, Any]


class LogWriter:
    """A bounded queue, and the one thread that empties it."""

    def __init__(self, *sinks: TextIO) -> None:
        self.dropped = 0
        self._sinks = sinks
        self._queue: queue.Queue[Line | None] = queue.Queue(LINES)
        self._thread = threading.Thread(target=self._write, name="log", daemon=True)
        self._thread.start()

    def put(self, line: Line) -> None:
        try:
            self._queue.put_nowait(line)
        except queue.Full:
            self.dropped += 1

    def close(self) -> None:
        """Write what is queued, then stop."""
        self._queue.put(None)
        self._thread.join()

    def _write(self) -> None:
        while (line := self._queue.get()) is not None:
            text = msgspec.json.encode(line, enc_hook=str).decode() + "\n"
            for sink in self._sinks:
                try:
                    sink.write(text)
                    if self._queue.empty():
                        sink.flush()
                except (OSError, ValueError):  # a full disk silences, it does not stop
                    self.dropped += 1
        for sink in self._sinks:
            sink.flush()


class ToWriter(logging.Handler):
    """Brings the standard library's records into the same lines."""

    def __init__(self, put: Callable[[Line], None]) -> None:
        super().__init__()
        self._put = put

    def emit(self, record: logging.LogRecord) -> None:
        line: Line = {
            "event": record.getMessage(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "timestamp": datetime.fromtimestamp(record.created, UTC),
        }
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            # Never its text: a message may quote somebody's data.
            line["event"] = record.msg.splitlines()[0] if record.msg else "error"
            line["error"] = type(error).__qualname__
            line["frames"] = traceback.format_tb(error.__traceback__)[-12:]
        self._put(line)


def start_log(clock: Clock, file: Path = Path("logs", "tradesense.log")) -> LogWriter:
    """Send every line to standard output and to the file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    writer = LogWriter(sys.stdout, file.open("a", encoding="utf-8"))

    def stamp(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
        line["timestamp"] = clock.now()
        return line

    def hand_over(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
        writer.put(dict(line))
        raise structlog.DropEvent

    structlog.configure(
        processors=[structlog.processors.add_log_level, stamp, hand_over],
        cache_logger_on_first_use=False,  # tests configure more than once,
    )
    logging.basicConfig(handlers=[ToWriter(writer.put)], level="INFO", force=True)
    for name in ("uvicorn", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    return writer
