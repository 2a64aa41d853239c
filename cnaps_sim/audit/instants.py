"""Instants: what any account held, and whether anything of it waited, just before any entry of a stretch of the log."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cnaps_sim.audit.entries import Entries, Flags, Ints
from cnaps_sim.audit.in_force import InForce
from cnaps_sim.audit.queues import LEVELS
from cnaps_sim.audit.replay import Replay
from cnaps_sim.audit.standing import AFTER, Standing
from cnaps_sim.words.codes import Level


class Instants:
    """Looks up accounts at entries; both are given as parallel arrays, in any order.

    replay:  the postings of the stretch, which are its settled entries
    waiting: per account and level what waited before the stretch
    """

    def __init__(self, entries: Entries, force: InForce, replay: Replay, waiting: Ints) -> None:
        self.entries = entries
        self.force = force
        self._replay = replay
        self._waiting = waiting.reshape(-1, LEVELS).sum(axis=1)
        self._posting: Ints = np.cumsum(entries.settled()) - entries.settled()  # postings before each entry
        self._debtor_after = replay.debtor_after()

    def after(self, rows: Ints) -> Ints:
        """The debtor's balance after each of these settled entries."""
        after: Ints = self._debtor_after[self._posting[rows]]
        return after

    def balance(self, accounts: Ints, rows: Ints) -> Ints:
        """What each account holds just before an entry."""
        end = np.searchsorted(self._legs, accounts * self._replay_count + self._posting[rows])
        balance = self._replay.opening[accounts]
        moved = end > self._replay.starts[accounts]
        balance[moved] = self._replay.after[end[moved] - 1]
        return balance

    def is_waiting(self, accounts: Ints, rows: Ints) -> Flags:
        """Whether anything waits in the settlement queue of each account just before an entry."""
        key, summed = self._steps
        size = len(self.entries) + 1
        until, start = np.searchsorted(key, accounts * size + rows), np.searchsorted(key, accounts * size)
        waiting: Flags = self._waiting[accounts] + summed[until] - summed[start] != 0
        return waiting

    def kept(self, accounts: Ints, rows: Ints, level: NDArray[np.integer] | None = None) -> Ints:
        """What an account keeps back from a debit at `level`; without a level from what it gives to others."""
        kept = self.force.of("floor", accounts, rows) + self.force.of("reserved_matching", accounts, rows)
        earmark = self.force.of("earmark", accounts, rows)
        high, urgent = self.force.of("reserved_high", accounts, rows), self.force.of("reserved_urgent", accounts, rows)
        if level is None:
            return kept + earmark + high + urgent
        kept += np.where(level == Level.ROUND_NET, 0, earmark)
        kept += np.where((level > Level.URGENT) & (level != Level.ROUND_NET), high, 0)
        return kept + np.where(level == Level.NORMAL, urgent, 0)

    def spare(self, accounts: Ints, rows: Ints) -> Ints:
        """What an account may give to others just before an entry: nothing while anything of it waits or is held."""
        spare = np.maximum(0, self.balance(accounts, rows) - self.kept(accounts, rows))
        return np.where(self.is_barred(accounts, rows), 0, spare)

    def is_barred(self, accounts: Ints, rows: Ints) -> Flags:
        """Whether an account gives nothing to others, whatever it has."""
        barred = self.is_waiting(accounts, rows) | (self.force.of("held", accounts, rows) != 0)
        return barred | (self.force.of("closed", accounts, rows) != 0)

    @cached_property
    def _legs(self) -> Ints:
        """Account and posting of every leg, in the order of the replay."""
        groups = np.arange(len(self._replay.counts)) * self._replay_count
        return np.repeat(groups, self._replay.counts) + (self._replay.order >> 1)

    @property
    def _replay_count(self) -> int:
        return len(self._replay.order) // 2

    @cached_property
    def _steps(self) -> tuple[Ints, Ints]:
        """Where payments enter and leave queues, by account and entry, and the sum of these steps before each."""
        entries = self.entries
        step = (AFTER[entries.act] == Standing.WAITING).astype(np.int64) - (entries.before == Standing.WAITING)
        rows = np.flatnonzero(step)
        key = entries.debtor[rows].astype(np.int64) * (len(entries) + 1) + rows
        order = np.argsort(key, kind="stable")
        return key[order], np.append(0, np.cumsum(step[rows][order]))
