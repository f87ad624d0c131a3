"""The answer that a command has had before: the same bytes, however often it comes.

It may be in the batch under construction, in the one on its way to the disk, or on
disk. Most commands are new, and the log itself refuses a receipt that it has already:
so it is asked beforehand only where a repeat is likely, or could be overlooked.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from application.engine.asks import Answer, Ask, KeyReused
from application.engine.draft import Draft
from application.engine.journal import Journal, Receipt

AT_HAND: Final = 50_000
WARY_BATCHES: Final = 100  # after a start or a repeat, when clients ask again
REFUSED: Final = 409
OK: Final = 200


class KeptAnswers:
    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._at_hand: dict[int, Receipt] = {}
        self._sealed: dict[int, Receipt] = {}
        self._looked_up: dict[int, Receipt] = {}
        self._wary = WARY_BATCHES

    def beware(self) -> None:
        """A repeat came unseen, and clients that ask again seldom ask alone."""
        self._wary = WARY_BATCHES

    async def look_up(self, asks: Sequence[Ask], *, thoroughly: bool = False) -> None:
        """Find on disk what may have been answered before.

        Only a yes is kept under a natural id, so the log would not refuse a no.
        """
        ids = [ask.natural_id for ask in asks if ask.natural_id is not None]
        if self._wary or thoroughly:
            ids += [ask.command_id for ask in asks if ask.command_id and ask.is_kept]
            self._wary = max(0, self._wary - 1)
        at_hand = self._at_hand
        # held apart: what is at hand may be forgotten before it is asked for
        found = {each.int: at_hand[each.int] for each in ids if each.int in at_hand}
        if missing := {each for each in ids if each.int not in at_hand}:
            receipts = await self._journal.receipts(tuple(missing))
            found |= {each.int: receipt for each, receipt in receipts.items()}
        self._looked_up = found

    def known(self, ask: Ask, draft: Draft) -> Answer | None:
        """The first answer to the same command, if there was one."""
        if ask.command_id is not None and ask.is_kept:
            receipt = self._receipt(ask.command_id, draft)
            if receipt is not None:
                if receipt.request_hash != ask.request_hash:
                    raise KeyReused("the key came with another body before")
                return replayed(receipt, receipt.status)
        if ask.natural_id is not None:
            receipt = self._receipt(ask.natural_id, draft)
            if receipt is not None:
                status = REFUSED if receipt.status == REFUSED else OK
                answer = replayed(receipt, status)
                if ask.command_id is not None and ask.is_kept:
                    keep_under(ask.command_id, ask, answer, draft)
                return answer
        return None

    def _receipt(self, command_id: UUID, draft: Draft) -> Receipt | None:
        number = command_id.int
        return (
            draft.receipts.get(number)
            or self._sealed.get(number)
            or self._at_hand.get(number)
            or self._looked_up.get(number)
        )

    def keep(self, ask: Ask, answer: Answer, draft: Draft) -> None:
        if ask.command_id is not None and ask.is_kept:
            keep_under(ask.command_id, ask, answer, draft)
        if ask.natural_id is not None and not answer.is_refused:
            keep_under(ask.natural_id, ask, answer, draft)

    def seal(self, draft: Draft) -> None:
        self._sealed = draft.receipts

    def settle(self) -> None:
        """They are on disk; the oldest at hand make room for them."""
        self._at_hand.update(self._sealed)
        self._sealed = {}
        while len(self._at_hand) > AT_HAND:
            del self._at_hand[next(iter(self._at_hand))]

    def drop(self) -> None:
        self._sealed = {}


def keep_under(key: UUID, ask: Ask, answer: Answer, draft: Draft) -> None:
    draft.receipts[key.int] = Receipt(
        command_id=key,
        request_hash=ask.request_hash,
        status=answer.status,
        body=answer.body,
        position=answer.position,
    )


def replayed(receipt: Receipt, status: int) -> Answer:
    return Answer(
        status=status,
        body=receipt.body,
        position=receipt.position,
        is_refused=receipt.status == REFUSED,
        is_replayed=True,
    )
