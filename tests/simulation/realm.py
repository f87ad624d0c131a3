"""One partition of the world: its log, what must follow, and what was told of it."""

from collections.abc import Callable
from datetime import datetime

from application.engine.journal import Batch
from tests.simulation.answers import Answers
from tests.simulation.journal import Database, Weather
from tests.simulation.model import Model


class Realm:
    def __init__(
        self,
        name: str,
        weather: Weather,
        now: Callable[[], datetime],
        fail: Callable[[BaseException], None],
    ) -> None:
        self.name = name
        self.model = Model()
        self.answers = Answers(self.model, now)
        self.database = Database(weather, self._hear)
        self._fail = fail

    def _hear(self, batch: Batch) -> None:
        try:
            self.model.take(batch)
        except Exception as error:  # noqa: BLE001 - the engine must not catch it
            self._fail(error)
