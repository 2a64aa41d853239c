"""Queues: does what settles come off the settlement queue (清算排队) in the right order?

The auditor counts what waits per account and level, and numbers the entries into each queue. As long as nobody
touches a queue, the n-th to leave must be the n-th that entered, which is checked for a whole stretch of the
log at once. A queue in which a payment was cancelled, moved, or did leave out of order, is followed entry by
entry until it is empty. What a queue matching (排队撮合) settles leaves together, so of its payments it matters
only which ones they are; where it may leave others behind, see `gaps`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from itertools import islice
from typing import Final

import numpy as np

from cnaps_sim.audit.blocks import MATCHED_LEVELS
from cnaps_sim.audit.entries import Entries, Flags, Ints
from cnaps_sim.audit.gaps import NONE_STAYS, Places, first_to_stay, overtaking
from cnaps_sim.audit.open_payments import OpenPayments
from cnaps_sim.audit.replay import last_of_runs
from cnaps_sim.audit.standing import Standing
from cnaps_sim.audit.verdict import Findings
from cnaps_sim.words.codes import Act, Level
from cnaps_sim.words.units import format_clock

RULE: Final = "queue-order"
MATCHING_RULE: Final = "matching-keeps-order"
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

    fifo:          whether payments of one level keep their order (false where the discipline lets them pass)
    sequence_kept: whether matchings take payments from the head of the queue without leaving any out
    takes_time:    whether a matching settles later than it chooses, so that others may come to stand ahead
    """

    def __init__(
        self, accounts: int, names: Sequence[str], fifo: bool, sequence_kept: bool = False, takes_time: bool = False
    ) -> None:
        self.waiting = np.zeros(accounts * LEVELS, np.int64)
        self._names = names
        self._fifo = fifo
        self._takes_time = takes_time
        self._sequence_kept = sequence_kept and not takes_time
        self._entered = np.zeros(accounts * LEVELS, np.int64)
        self._left = np.zeros(accounts * LEVELS, np.int64)
        self._with_gaps = np.zeros(accounts * LEVELS, np.bool_)
        self._followed: dict[int, OrderedDict[int, None]] = {}

    def see(
        self, entries: Entries, held: Flags, matching: Ints | None, payments: OpenPayments, findings: Findings
    ) -> None:
        """Check `queue-order` and `matching-keeps-order` over a stretch and count it.

        held: for each entry, whether its debtor's account is under debit control or frozen
        matching: number of the matching that settled each entry, 0 for none; None if there is none at all
        payments: as they stood before the stretch. Sets the ordinals of `entries.terms`.

        `queue-order`: nothing settles while a payment of the same account waits at a higher level, or, in strict
        order, an earlier one at the same level. While an account is under control, only levels 0 and 3 move and
        only they stand in each other's way. Moves and changes of level count from the entry that tells of them.
        Matchings may pass what waits at levels 6 and 7, and those that take time what waits at any.

        `matching-keeps-order`, where the sequence is kept: what a matching settles for an account are the first of
        those that wait at level 6 and, if it leaves none of these, the first of those that wait at level 7.
        """
        findings.made(RULE)
        if self._sequence_kept:
            findings.made(MATCHING_RULE)
        step = _Steps(entries)
        self._check_levels(entries, step, held, matching, findings)
        if self._fifo or self._sequence_kept:
            self._check_sequence(entries, step, matching, payments, findings)
        if len(step.entering) or len(step.leaving):
            size = len(self.waiting)
            self.waiting += np.bincount(step.entered, minlength=size) - np.bincount(step.left, minlength=size)

    def _check_levels(
        self, entries: Entries, step: _Steps, held: Flags, matching: Ints | None, findings: Findings
    ) -> None:
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
        matched = None if matching is None else matching[rows]
        for above in range(LEVELS - 1, -1, -1):
            change = step.change_at(above, len(entries))[rows]
            start = self.waiting[account * LEVELS + above]
            if not (start.any() or change.any()):
                continue
            summed = np.cumsum(change) - change
            waiting = start + summed - np.repeat(summed[first], length)
            ahead = waiting > 0
            ahead &= settled & ((level > above) | ((level == above) & same_level_counts))
            if above not in EXEMPT:
                ahead &= ~held[rows]
            if matched is not None and (self._takes_time or above in MATCHED_LEVELS):
                ahead &= matched == 0
            if matched is not None and self._sequence_kept and above == Level.HIGH:
                waiting += change
                self._check_high_first(entries, rows, matched, waiting, findings)
            overtaken[ahead] = above
        findings.where(
            RULE,
            overtaken >= 0,
            lambda k: (
                f"payment {entries.sequence[rows[k]]} of {self._names[account[k]]} settled at level {level[k]} at "
                f"{format_clock(int(entries.time_ms[rows[k]]))} while a payment waited at level {overtaken[k]}"
            ),
        )

    def _check_high_first(self, entries: Entries, rows: Ints, matched: Ints, waiting: Ints, findings: Findings) -> None:
        """A matching takes payments of level 7 only if it leaves none of level 6.

        rows: entries ordered by account; matched: number of the matching of each, or 0; waiting: how many wait at
        level 6 after each
        """
        leg = np.flatnonzero(matched)
        account = entries.debtor[rows[leg]]
        left = waiting[last_of_runs(leg, account, matched[leg])]
        findings.where(
            MATCHING_RULE,
            (left > 0) & (entries.level[rows[leg]] > Level.HIGH),
            lambda k: (
                f"matching {matched[leg[k]]} settled payment {entries.sequence[rows[leg[k]]]} of "
                f"{self._names[account[k]]} at level 7 and left {left[k]} waiting at level 6"
            ),
        )

    def _check_sequence(
        self, entries: Entries, step: _Steps, matching: Ints | None, payments: OpenPayments, findings: Findings
    ) -> None:
        """Inside a level, what settles must be the first that still waits."""
        ordinal = entries.ordinal.copy()
        ordinal[step.entering] = self._entered[step.entered] + rank(step.entered)
        leaving = step.leaving
        entered_here = entries.previous[leaving] >= 0
        own = np.where(entered_here, ordinal[entries.previous[leaving]], entries.ordinal[leaving])
        due = self._left[step.left] + rank(step.left)
        size = len(self.waiting)
        irregular = np.zeros(size, np.bool_)
        irregular[step.left[own != due]] = True
        touched = np.zeros(size, np.bool_)
        touched[step.touched] = True
        touched[list(self._followed)] = True
        self._entered += np.bincount(step.entered, minlength=size)
        self._left += np.bincount(step.left, minlength=size)
        if not self._sequence_kept and (matching is not None or self._with_gaps.any()):
            suspect = (irregular | self._with_gaps) & ~touched
            irregular = self._check_gaps(suspect, entries, step, own, ordinal[step.entering], matching, payments)
        irregular |= touched
        self._with_gaps &= ~irregular
        entries.terms["ordinal"][entries.payment[step.entering]] = ordinal[step.entering]
        if irregular.any():
            self._begin_to_follow(irregular, payments)
            self._follow(entries, step, matching, irregular, findings)

    def _check_gaps(
        self,
        suspect: Flags,
        entries: Entries,
        step: _Steps,
        own: Ints,
        entered: Ints,
        matching: Ints | None,
        payments: OpenPayments,
    ) -> Flags:
        """Which of the suspect queues are in disorder although matchings may take payments from anywhere.

        own: number in its queue of each payment that leaves one; entered: of each that enters one
        """
        disorder = np.zeros(len(suspect), np.bool_)
        rows = np.flatnonzero(suspect[step.left])
        if not len(rows):
            return disorder
        suspect = np.zeros(len(suspect), np.bool_)
        suspect[step.left[rows]] = True
        entry = step.leaving[rows]
        is_released = entries.settled()[entry]
        if matching is not None:
            is_released &= matching[entry] == 0
        leaving = Places(step.left[rows], own[rows])
        before = payments.waiting(suspect)
        new = suspect[step.entered]
        queue = np.append(before["debtor"].astype(np.int64) * LEVELS + before["level"], step.entered[new])
        there = Places(queue, np.append(before["ordinal"], entered[new]))
        first = first_to_stay(there, leaving, self._entered)
        disorder[overtaking(leaving, entry, is_released, first)] = True
        self._with_gaps[suspect] = ((first != NONE_STAYS) & (first != self._left))[suspect]
        return disorder

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

    def _follow(
        self, entries: Entries, step: _Steps, matching: Ints | None, irregular: Flags, findings: Findings
    ) -> None:
        """Follow the irregular queues entry by entry; those that become empty are regular again."""
        base = entries.debtor.astype(np.int64) * LEVELS
        before, after = base + entries.level_before, base + entries.level
        rows = np.flatnonzero(step.relevant & (irregular[before] | irregular[after]))
        waited = entries.before[rows] == Standing.WAITING
        matched = np.zeros(len(rows), np.int64) if matching is None else matching[rows]
        chosen = self._chosen(matched, before[rows], entries.sequence[rows])
        columns = (rows, entries.act[rows], entries.sequence[rows], before[rows], after[rows], waited, matched)
        for k, act, sequence, left, entered, was_waiting, number in zip(*(c.tolist() for c in columns), strict=True):
            old, new = self._followed.get(left), self._followed.get(entered)
            if act == _TO_HEAD and old is not None:
                old.move_to_end(sequence, last=False)
            elif act == _TO_TAIL and old is not None:
                old.move_to_end(sequence)
            elif was_waiting and old is not None:
                if number:
                    self._check_first(number, left, old, chosen.pop((number, left), set()), findings)
                elif act == _SETTLED and self._fifo and next(iter(old)) != sequence:
                    self._tell_overtaken(entries, k, next(iter(old)), findings)
                del old[sequence]
            if new is not None and act in _ENTERING:
                new[sequence] = None
        for number in [number for number, queue in self._followed.items() if not queue]:
            del self._followed[number]
            self._left[number] = self._entered[number] = 0

    def _chosen(self, matched: Ints, queue: Ints, sequence: Ints) -> dict[tuple[int, int], set[int]]:
        """Where the sequence is kept: what each matching settles from each queue."""
        chosen: dict[tuple[int, int], set[int]] = {}
        rows = np.flatnonzero(matched) if self._sequence_kept else np.zeros(0, np.int64)
        for number, left, one in zip(*(c[rows].tolist() for c in (matched, queue, sequence)), strict=True):
            chosen.setdefault((number, left), set()).add(one)
        return chosen

    def _check_first(
        self, number: int, queue: int, waiting: OrderedDict[int, None], chosen: set[int], findings: Findings
    ) -> None:
        """What a matching settles from a queue must be the first that wait in it."""
        first = list(islice(waiting, len(chosen)))
        if chosen != set(first):
            left_out = next(sequence for sequence in first if sequence not in chosen)
            findings.breach(
                MATCHING_RULE,
                f"matching {number} settled {len(chosen)} payments of {self._names[queue // LEVELS]} from level "
                f"{queue % LEVELS} and left out payment {left_out}, which waited ahead of one of them",
            )

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


def rank(group: Ints) -> Ints:
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
