"""Queues: does what settles come off the settlement queue (清算排队) in the right order?

The auditor counts what waits per account and level, and numbers the entries into each queue. As long as nobody
touches a queue, the n-th to leave must be the n-th that entered, which is checked for a whole stretch of the
log at once. A queue in which a payment was cancelled, moved, or did leave out of order, is followed entry by
entry until it is empty.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

import numpy as np

from cnaps_sim.audit.entries import Entries, Flags, Ints
from cnaps_sim.audit.open_payments import OpenPayments
from cnaps_sim.audit.standing import Standing
from cnaps_sim.audit.verdict import Findings
from cnaps_sim.words.codes import Act, Level
from cnaps_sim.words.units import format_clock

RULE: Final = "queue-order"
LEVELS: Final = len(Level)
#: Levels that pass an account under debit control (借记控制) and do not notice what else waits there.
EXEMPT: Final = (Level.REVERSAL, Level.SAME_CITY_NET)

_SETTLED, _TO_HEAD, _TO_TAIL = int(Act.SETTLED), int(Act.MOVED_TO_HEAD), int(Act.MOVED_TO_TAIL)
_ENTERING: Final = (int(Act.QUEUED), int(Act.LEVEL_CHANGED))
#: By act: does a waiting payment leave its queue by it; does it disturb the order of the queue?
_LEAVING: Final = np.zeros(16, np.bool_)
_LEAVING[[Act.SETTLED, Act.REFUSED, Act.CANCELLED, Act.RETURNED, Act.LEVEL_CHANGED]] = True
_TOUCHING: Final = np.zeros(16, np.bool_)
_TOUCHING[[Act.CANCELLED, Act.MOVED_TO_HEAD, Act.MOVED_TO_TAIL, Act.LEVEL_CHANGED]] = True


class Queues:
    """What waits where. Queue number = account row · 8 + level.

    fifo: whether payments of one level keep their order (false where the discipline lets them pass).
    """

    def __init__(self, accounts: int, names: Sequence[str], fifo: bool) -> None:
        self.waiting = np.zeros(accounts * LEVELS, np.int64)
        self._names = names
        self._fifo = fifo
        self._entered = np.zeros(accounts * LEVELS, np.int64)
        self._left = np.zeros(accounts * LEVELS, np.int64)
        self._followed: dict[int, OrderedDict[int, None]] = {}

    def see(self, entries: Entries, held: Flags, payments: OpenPayments, findings: Findings) -> None:
        """Check `queue-order` over a stretch and count it.

        held: for each entry, whether its debtor's account is under debit control or frozen
        payments: as they stood before the stretch. Sets the ordinals of `entries.terms`.

        `queue-order`: nothing settles while a payment of the same account waits at a higher level, or, in strict
        order, an earlier one at the same level. While an account is under control, only levels 0 and 3 move and
        only they stand in each other's way. Moves and changes of level count from the entry that tells of them.
        """
        findings.made(RULE)
        step = _Steps(entries)
        self._check_levels(entries, step, held, findings)
        if self._fifo:
            self._check_sequence(entries, step, payments, findings)
        if len(step.entering) or len(step.leaving):
            size = len(self.waiting)
            self.waiting += np.bincount(step.entered, minlength=size) - np.bincount(step.left, minlength=size)

    def _check_levels(self, entries: Entries, step: _Steps, held: Flags, findings: Findings) -> None:
        """No payment settles past one that waits above it, or on arrival past one at its own level."""
        concerned: Flags = np.any(self.waiting.reshape(-1, LEVELS), axis=1)
        concerned[entries.debtor[step.entering]] = True
        if not concerned.any():
            return
        rows = np.flatnonzero(concerned[entries.debtor] & (step.relevant | entries.settled()))
        account = entries.debtor[rows]
        order = np.argsort(account.astype(np.uint16 if len(concerned) <= 2**16 else np.int64), kind="stable")
        rows, account = rows[order], account[order]
        first = np.flatnonzero(np.append(True, account[1:] != account[:-1])[: len(account)])
        length = np.diff(np.append(first, len(account)))
        settled = entries.settled()[rows]
        level = entries.level[rows]
        same_level_counts = entries.on_arrival()[rows] & self._fifo
        overtaken = np.full(len(rows), -1)
        for above in range(LEVELS - 1, -1, -1):
            change = step.change_at(above, len(entries))[rows]
            start = self.waiting[account * LEVELS + above]
            if not (start.any() or change.any()):
                continue
            summed = np.cumsum(change) - change
            ahead = start + summed - np.repeat(summed[first], length) > 0
            ahead &= settled & ((level > above) | ((level == above) & same_level_counts))
            if above not in EXEMPT:
                ahead &= ~held[rows]
            overtaken[ahead] = above
        findings.where(
            RULE,
            overtaken >= 0,
            lambda k: (
                f"payment {entries.sequence[rows[k]]} of {self._names[account[k]]} settled at level {level[k]} at "
                f"{format_clock(int(entries.time_ms[rows[k]]))} while a payment waited at level {overtaken[k]}"
            ),
        )

    def _check_sequence(self, entries: Entries, step: _Steps, payments: OpenPayments, findings: Findings) -> None:
        """Inside a level, what settles must be the first that still waits."""
        ordinal = entries.ordinal.copy()
        ordinal[step.entering] = self._entered[step.entered] + _rank(step.entered)
        leaving = step.leaving
        entered_here = entries.previous[leaving] >= 0
        own = np.where(entered_here, ordinal[entries.previous[leaving]], entries.ordinal[leaving])
        due = self._left[step.left] + _rank(step.left)
        size = len(self.waiting)
        irregular = np.zeros(size, np.bool_)
        irregular[step.left[own != due]] = True
        irregular[step.touched] = True
        irregular[list(self._followed)] = True
        self._entered += np.bincount(step.entered, minlength=size)
        self._left += np.bincount(step.left, minlength=size)
        entries.terms["ordinal"][entries.payment[step.entering]] = ordinal[step.entering]
        if irregular.any():
            self._begin_to_follow(irregular, payments)
            self._follow(entries, step, irregular, findings)

    def _begin_to_follow(self, irregular: Flags, payments: OpenPayments) -> None:
        """Line up what waits in queues that have just become irregular."""
        irregular = irregular.copy()
        irregular[list(self._followed)] = False
        if not irregular.any():
            return
        self._followed.update((int(number), OrderedDict()) for number in np.flatnonzero(irregular))
        rows = payments.waiting(irregular)
        numbers = rows["debtor"].astype(np.int64) * LEVELS + rows["level"]
        for number, sequence in zip(numbers.tolist(), rows["sequence"].tolist(), strict=True):
            self._followed[number][sequence] = None

    def _follow(self, entries: Entries, step: _Steps, irregular: Flags, findings: Findings) -> None:
        """Follow the irregular queues entry by entry; those that become empty are regular again."""
        base = entries.debtor.astype(np.int64) * LEVELS
        before, after = base + entries.level_before, base + entries.level
        rows = np.flatnonzero(step.relevant & (irregular[before] | irregular[after]))
        waited = entries.before[rows] == Standing.WAITING
        columns = (rows, entries.act[rows], entries.sequence[rows], before[rows], after[rows], waited)
        for k, act, sequence, left, entered, was_waiting in zip(*(c.tolist() for c in columns), strict=True):
            old, new = self._followed.get(left), self._followed.get(entered)
            if act == _TO_HEAD and old is not None:
                old.move_to_end(sequence, last=False)
            elif act == _TO_TAIL and old is not None:
                old.move_to_end(sequence)
            elif was_waiting and old is not None:
                if act == _SETTLED and next(iter(old)) != sequence:
                    self._tell_overtaken(entries, k, next(iter(old)), findings)
                del old[sequence]
            if new is not None and act in _ENTERING:
                new[sequence] = None
        for number in [number for number, queue in self._followed.items() if not queue]:
            del self._followed[number]
            self._left[number] = self._entered[number] = 0

    def _tell_overtaken(self, entries: Entries, k: int, head: int, findings: Findings) -> None:
        findings.breach(
            RULE,
            f"payment {entries.sequence[k]} of {self._names[entries.debtor[k]]} settled from level {entries.level[k]} "
            f"at {format_clock(int(entries.time_ms[k]))} before payment {head}, which waited ahead of it",
        )


class _Steps:
    """Who enters and who leaves which queue in a stretch of the log (places of entries, queue numbers)."""

    def __init__(self, entries: Entries) -> None:
        was_waiting = entries.before == Standing.WAITING
        queued = entries.act == Act.QUEUED
        changed = entries.act == Act.LEVEL_CHANGED
        #: entries that concern a queue
        self.relevant = was_waiting | queued
        self.entering = np.flatnonzero(queued | changed)
        self.leaving = np.flatnonzero(was_waiting & _LEAVING[entries.act])
        base = entries.debtor.astype(np.int64) * LEVELS
        self._entering_level = entries.level[self.entering]
        self._leaving_level = entries.level_before[self.leaving]
        self.entered = base[self.entering] + self._entering_level
        self.left = base[self.leaving] + self._leaving_level
        touching = np.flatnonzero(_TOUCHING[entries.act])
        #: queues that need to be walked through
        self.touched = np.concatenate(
            (base[touching] + entries.level_before[touching], base[touching] + entries.level[touching])
        )

    def change_at(self, level: int, size: int) -> Ints:
        """For each entry, by how much it changes the number waiting at this level."""
        change = np.zeros(size, np.int64)
        change[self.entering[self._entering_level == level]] += 1
        change[self.leaving[self._leaving_level == level]] -= 1
        return change


def _rank(group: Ints) -> Ints:
    """How many earlier elements are equal to each element."""
    if not len(group):
        return np.zeros(0, np.int64)
    key = group.astype(np.uint16) if group.max() < 2**16 else group
    order = np.argsort(key, kind="stable")
    ordered = group[order]
    first = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    place = np.arange(len(group)) - np.repeat(first, np.diff(np.append(first, len(group))))
    rank = np.empty(len(group), np.int64)
    rank[order] = place
    return rank
