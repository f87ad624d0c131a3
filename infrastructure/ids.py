"""Ids that sort by the moment they were made (UUID version 7)."""

import uuid_utils


class TimeOrderedIds:
    def new(self) -> str:
        return str(uuid_utils.uuid7())
