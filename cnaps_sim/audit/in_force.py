"""Terms in force: which phase, limits and controls hold at each entry of a stretch of the log."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cnaps_sim.audit.entries import Entries, Flags, Ints


class Change(NamedTuple):
    """Something that changes what is allowed from one log entry on."""

    entry: int  # not before this entry of the pending log
    time_ms: int
    what: str  # `phase`, `held`, `overdraft_limit`, `floor` or `limit` (bilateral)
    account: int
    value: int
    towards: int = -1  # of a bilateral limit: the account that is paid


class InForce:
    """The terms in force at each entry of a stretch of the log."""

    def __init__(self, entries: Entries, start: dict[str, Ints], phase: int, changes: list[tuple[int, Change]]) -> None:
        self._entries = entries
        self._start = start
        self._changes = changes
        self.phase = np.full(len(entries), phase, np.int64)
        for place, change in changes:
            if change.what == "phase":
                self.phase[np.searchsorted(entries.place, place) :] = change.value
        self.held: Flags = np.zeros(len(entries), np.bool_)
        if start["held"].any() or any(change.what == "held" for _, change in changes):
            self.held = self.at("held", np.arange(len(entries))) != 0
        #: by account: a balance that no posting of the stretch needs to stay above
        self.highest_need = np.maximum(start["floor"], 0)
        for _, change in changes:
            if change.what == "floor":
                self.highest_need[change.account] = max(self.highest_need[change.account], change.value)

    def at(self, what: str, rows: Ints) -> Ints:
        """A term of the debtor's account at each of these entries (ascending)."""
        debtor = self._entries.debtor[rows]
        value = self._start[what][debtor]
        for place, change in self._changes:
            if change.what == what:
                later = int(np.searchsorted(self._entries.place[rows], place))
                value[later:][debtor[later:] == change.account] = change.value
        return value
