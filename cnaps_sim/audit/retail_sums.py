"""Retail sums: what headroom, rounds, outcomes and caps of a run are made of, added up item by item.

Nothing is kept of an item: sums are by participant and minute, by round, by refusal and by payer.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cnaps_sim.audit.columns import Flags, Frame, Ints
from cnaps_sim.audit.digest import NULL
from cnaps_sim.audit.sums import Steps, Sums, exact_sum
from cnaps_sim.words.codes import Reason, Status, System
from cnaps_sim.words.retail import RetailKind
from cnaps_sim.words.units import MS_PER_MINUTE

RETAIL: Final = (System.BEPS.value, System.IBPS.value)
#: Items whose status says that the netting server did not net them.
REFUSED: Final = (Status.PR09.value, Status.PR32.value)
_WITHOUT_REPLY: Final = tuple(kind.code for kind in RetailKind if kind.queues and not kind.has_reply)
_WITH_REPLY: Final = tuple(kind.code for kind in RetailKind if kind.queues and kind.has_reply)
_REPLIED: Final = tuple(kind.code for kind in RetailKind if kind.has_reply)
#: System, status, reason and ISO reason of items that were not netted.
Refused = tuple[str, str, str | None, str | None]


def minute_of(time_ms: Ints) -> Ints:
    """The first whole minute at or after each instant."""
    return (time_ms + (MS_PER_MINUTE - 1)) // MS_PER_MINUTE


class RetailSums:
    """Sees the retail rows of the table of payments part by part.

    numbers:           a number for each participant named so far
    sent, received:    netted, by participant and minute
    netted, rejected:  by system (its place in RETAIL) and minute; apart, by system + 2, what was refused when it was
                       sent although it is checked when its reply comes, for then it is counted, which no table tells
    rounds:            netted, by system and round
    over_cap, held_up: by payer; refused for the cap, and once in a cap queue
    waited:            in and out of cap queues by minute; group 0 and 1: for sure (kinds without a reply, which are
                       checked when they are sent), 2 and 3: at most
    """

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.sent, self.received = Sums(), Sums()
        self.netted, self.rejected, self.rounds = Sums(), Sums(), Sums()
        self.over_cap, self.held_up, self.waited = Sums(), Sums(), Sums()
        self.refusals: dict[Refused, list[int]] = {}
        self.delays: dict[str, list[int]] = {}
        self.systems: set[str] = set()

    def see(self, frame: Frame) -> None:
        """Add the items of a part; `UnknownColumnError` if a column that is needed is not sound."""
        system = frame.coded("system", lambda name: RETAIL.index(name) if name in RETAIL else -1)
        amount, number = frame.ints("amount_fen"), frame.ints("round")
        netted_ms, ended_ms = frame.ints("netted_ms"), frame.ints("ended_ms")
        submitted_ms = frame.ints("submitted_ms")
        debtor, creditor = (frame.coded(name, self._number) for name in ("debtor", "creditor"))
        self.systems |= {name for k, name in enumerate(RETAIL) if (system == k).any()}
        netted = np.flatnonzero(netted_ms != NULL)
        minute = minute_of(netted_ms[netted])
        self.sent.add(debtor[netted], minute, amount[netted])
        self.received.add(creditor[netted], minute, amount[netted])
        self.netted.add(system[netted], minute, amount[netted])
        self.rounds.add(system[netted], number[netted], amount[netted])
        refused = np.flatnonzero(frame.is_one_of("status", *REFUSED) & (ended_ms != NULL))
        early = frame.is_one_of("type", *_REPLIED) & (ended_ms == submitted_ms)
        self.rejected.add(system[refused] + len(RETAIL) * early[refused], minute_of(ended_ms[refused]), amount[refused])
        for k, name in enumerate(RETAIL):
            own = netted[system[netted] == k]
            if len(own):
                known = self.delays.setdefault(name, [0, 0])
                known[0] += len(own)
                known[1] += exact_sum(netted_ms[own] - submitted_ms[own])
        self._add_refusals(frame, amount)
        self._add_held_up(frame, debtor, amount)
        self._add_waited(frame, amount)

    def _number(self, name: str) -> int:
        return self.numbers.setdefault(name, len(self.numbers))

    def _add_refusals(self, frame: Frame, amount: Ints) -> None:
        columns = [frame.texts(name) for name in ("system", "status", "reason", "reason_iso")]
        key: NDArray[Any] = np.zeros(len(amount), np.int64)
        for codes, words in columns:
            key = key * (len(words) + 1) + codes + 1
        rows = np.flatnonzero(frame.known("reason") | frame.is_one_of("status", Status.PR21))
        for one in np.unique(key[rows]).tolist():
            own = rows[key[rows] == one]
            texts = [words[codes[own[0]]] if codes[own[0]] >= 0 else None for codes, words in columns]
            known = self.refusals.setdefault((texts[0] or "", texts[1] or "", texts[2], texts[3]), [0, 0])
            known[0] += len(own)
            known[1] += exact_sum(amount[own])

    def _add_held_up(self, frame: Frame, debtor: NDArray[Any], amount: Ints) -> None:
        refused = frame.is_one_of("status", Status.PR09) & frame.is_one_of("reason", Reason.RJ94)
        held_up = frame.is_one_of("status", Status.PR08)
        held_up |= frame.is_one_of("status", Status.PR11) & frame.is_one_of("type", *_WITHOUT_REPLY)
        held_up |= frame.known("released_by") & frame.known("netted_ms")
        for sums, chosen in ((self.over_cap, refused), (self.held_up, held_up)):
            rows = np.flatnonzero(chosen)
            sums.add(debtor[rows], np.zeros(len(rows), np.int64), amount[rows])

    def _add_waited(self, frame: Frame, amount: Ints) -> None:
        """An item that is checked when its reply comes enters the queue at an instant that no table tells."""
        came, left = frame.ints("submitted_ms"), frame.ints("netted_ms")
        left = np.where(left == NULL, frame.ints("ended_ms"), left)
        there: Flags = (came != NULL) & ((left == NULL) | (left > came))
        for group, kinds in ((0, _WITHOUT_REPLY), (2, _WITH_REPLY)):
            rows = np.flatnonzero(there & frame.is_one_of("type", *kinds))
            went = rows[left[rows] != NULL]
            self.waited.add(np.full(len(rows), group), minute_of(came[rows]), amount[rows])
            self.waited.add(np.full(len(went), group + 1), minute_of(left[went]), amount[went])

    # as step functions of time ----------------------------------------------------------------------------------

    def is_whole(self, items: Any) -> bool:
        """Whether the items of every system were seen, as far as the manifest's `items` knows of any."""
        counts = {name: entry.get("count", 0) for name, entry in items.items() if name in RETAIL}
        return all(name in self.systems for name, count in counts.items() if count)

    def moved(self, *signs: int) -> Steps:
        """By participant what it was netted with until an instant: sent · first sign + received · second sign, fen."""
        parts = [(sums.total(), sign) for sums, sign in zip((self.sent, self.received), signs, strict=True) if sign]
        group, step = (np.concatenate([total[k] for total, _ in parts]) for k in (0, 1))
        return Steps(group, step * MS_PER_MINUTE, np.concatenate([total[3] * sign for total, sign in parts]))

    def waiting(self, first: int) -> Steps:
        """Fen in cap queues, of group `first` of `waited` and the one after it."""
        group, step, _, fen = self.waited.total()
        own = (group == first) | (group == first + 1)
        change = np.where(group == first, fen, -fen)[own]
        return Steps(np.zeros(len(change), np.int64), step[own] * MS_PER_MINUTE, change)


def steps_of(sums: Sums) -> tuple[Steps, Steps]:
    """Count and fen by group, as step functions of time."""
    group, step, count, fen = sums.total()
    return Steps(group, step * MS_PER_MINUTE, count), Steps(group, step * MS_PER_MINUTE, fen)
