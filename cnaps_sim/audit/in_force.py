"""Terms in force: which phase, limits and controls hold at each entry of a stretch of the log."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cnaps_sim.audit.entries import Entries, Flags, Ints


class Change(NamedTuple):
    """Something that changes what is allowed from one log entry on."""

    entry: int  # not before this entry of the pending log
    time_ms: int
    what: str  # `phase`, `limit` (bilateral), `overdue`, `write_off`, or a term of an account or pool in force
    account: int
    value: int
    towards: int = -1  # of a bilateral limit: the account that is paid


class InForce:
    """The terms in force at each entry of a stretch of the log.

    start: by term the value of each account at the beginning of the stretch; of `pool` that of each fund pool
    """

    def __init__(self, entries: Entries, start: dict[str, Ints], phase: int, changes: list[tuple[int, Change]]) -> None:
        self._entries = entries
        self._start = start
        self._changes: dict[str, list[tuple[int, Change]]] = {}
        for place, change in changes:
            self._changes.setdefault(change.what, []).append((place, change))
        self.phase = np.full(len(entries), phase, np.int64)
        for place, change in self._changes.get("phase", ()):
            self.phase[np.searchsorted(entries.place, place) :] = change.value
        self.held: Flags = np.zeros(len(entries), np.bool_)
        if start["held"].any() or "held" in self._changes:
            self.held = self.at("held", np.arange(len(entries))) != 0
        #: by account: a balance that no posting of the stretch needs to stay above
        self.highest_need = np.maximum(start["floor"], 0)
        for _, change in self._changes.get("floor", ()):
            self.highest_need[change.account] = max(self.highest_need[change.account], change.value)

    def at(self, what: str, rows: Ints) -> Ints:
        """A term of the debtor's account at each of these entries."""
        return self.of(what, self._entries.debtor[rows].astype(np.int64), rows)

    def of(self, what: str, accounts: Ints, rows: Ints) -> Ints:
        """A term of some accounts (or pools), each at an entry of its own, in any order."""
        value: Ints = self._start[what][accounts]
        told = self._changes.get(what)
        if not told:
            return value
        changes = np.array([(change.account, place, change.value) for place, change in told], np.int64)
        changes = changes[np.lexsort((changes[:, 1], changes[:, 0]))]  # stable: the latest of an entry stands last
        places = self._entries.place[rows]
        span = int(max(changes[:, 1].max(), places.max(initial=0))) + 1
        last = np.searchsorted(changes[:, 0] * span + changes[:, 1], accounts * span + places, side="right") - 1
        changed = (last >= 0) & (changes[last, 0] == accounts)
        return np.where(changed, changes[last, 2], value)

    def told(self, what: str) -> list[tuple[int, Change]]:
        """The changes of one kind, in order."""
        return self._changes.get(what, [])

    def add(self, changes: list[tuple[int, Change]]) -> None:
        """Take up changes that the log itself shows; what was told for the same entry came later."""
        for name in {change.what for _, change in changes}:
            known = [*(pair for pair in changes if pair[1].what == name), *self._changes.get(name, ())]
            self._changes[name] = sorted(known, key=lambda pair: pair[0])
