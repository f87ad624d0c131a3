"""`account:ID`: how it stands, and what has happened to it, for its owner.

What has happened is told as it is committed. How it stands moves with every quote, so
an account with open trades is looked at a few times a second, and shown if it differs.
"""

from collections import Counter
from typing import Final

from msgspec.structs import replace

from api.streaming.hub import Hub
from api.streaming.told import told
from api.trading.asking import owner_for
from application.caller import Caller
from application.engine.draft import Draft
from application.gateway import Gateway
from application.happenings import Happenings
from application.refusals import StoreUnavailable, Unauthenticated
from application.views.account import AccountView
from domain.venue.events import DayBoundaryPassed

STANDING: Final = "standing"
LOOK_SECONDS: Final = 0.25
MOST_LOOKS: Final = 100  # in one round; who was looked at longest ago comes first


class Watched:
    def __init__(self, account_id: str, partition: str, shown: AccountView) -> None:
        self.account_id = account_id
        self.partition = partition
        self.shown = figures(shown)
        self.looked_at = float("-inf")
        self.after = -1  # so many commits of its partition
        self.has_changed = False  # by an event, so it is looked at in any case


class Accounts:
    message = STANDING

    def __init__(self, hub: Hub, gateway: Gateway, happenings: Happenings) -> None:
        self._hub = hub
        self._gateway = gateway
        self._happenings = happenings
        self._watched: dict[str, Watched] = {}  # by stream
        self._commits: Counter[str] = Counter()
        happenings.tell(self.heard)
        hub.refreshes.append(self.refresh)

    def admit(self, subject: str, caller: Caller | None) -> None:
        if caller is None:
            raise Unauthenticated
        self._gateway.see_account(subject, owner_for(caller))

    async def opening(self, subject: str) -> AccountView:
        partition = self._gateway.partition_of_account(subject)
        view = self._gateway.account(subject, None)
        self._watched[f"account-{subject}"] = Watched(subject, partition, view)
        return view

    def heard(self, partition: str, draft: Draft) -> None:
        if not self._watched:
            return
        self._commits[partition] += 1
        self._hub.stir()
        for recorded, (_, stream, fact) in zip(draft.events, draft.facts, strict=True):
            if watched := self._watched.get(stream):
                watched.has_changed = True
                for kind, view in told(partition, watched.account_id, recorded, fact):
                    self._hub.publish(f"account:{watched.account_id}", kind, view)
            elif isinstance(fact, DayBoundaryPassed):
                for each in self._watched.values():
                    each.has_changed = True

    def refresh(self, now: float) -> bool:
        looks, is_due = 0, False
        for stream, watched in tuple(self._watched.items()):
            if f"account:{watched.account_id}" not in self._hub:
                del self._watched[stream]
            elif self._may_differ(watched):
                rested = now - watched.looked_at >= LOOK_SECONDS
                if looks < MOST_LOOKS and (rested or watched.has_changed):
                    looks += 1
                    del self._watched[stream]
                    self._watched[stream] = watched  # behind all others
                    self._look(watched, now)
                else:
                    is_due = True
        return is_due

    def _may_differ(self, watched: Watched) -> bool:
        if watched.has_changed:
            return True
        if watched.after == self._commits[watched.partition]:
            return False
        account = self._happenings.account(watched.partition, watched.account_id)
        return account is not None and bool(account.positions)

    def _look(self, watched: Watched, now: float) -> None:
        try:
            view = self._gateway.account(watched.account_id, None)
        except StoreUnavailable:
            return  # the next commit brings it up again
        watched.looked_at, watched.has_changed = now, False
        watched.after = self._commits[watched.partition]
        seen = figures(view)
        if seen != watched.shown:
            watched.shown = seen
            self._hub.show(f"account:{watched.account_id}", STANDING, view)


def figures(view: AccountView) -> AccountView:
    """The view without as of when it is: that moves also where nothing else does."""
    return replace(view, valued_at=view.opened_at, quote_sequence=0, position="")
