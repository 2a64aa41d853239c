"""What the liquidity query reads: balances, queues and positions of every account, from the result tables of a run.

Only the columns that are needed are read, because a national day has millions of rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cnaps_sim.analysis.explain.queue import written_out
from cnaps_sim.analysis.explain.tables import Told
from cnaps_sim.analysis.metrics.columns import NONE, Columns, IntArray, Run
from cnaps_sim.words.codes import Level, System
from cnaps_sim.words.errors import InputError

LEVELS: Final = len(Level)
#: What stands in the settlement queues; items of BEPS and IBPS wait for netting, not for settlement.
_SETTLED_BY_SAPS: Final = [System.HVPS.value, System.SAPS.value]
_MOVED: Final = "moved to the tail of level "


class Queues(NamedTuple):
    """Settlement queues at one instant: arrays over accounts and levels, as debtor (out) and as creditor (in).

    Counts are payments, sums fen; `unsure` is the number of payments whose level at that instant is not known.
    """

    out_count: IntArray
    out_fen: IntArray
    in_count: IntArray
    in_fen: IntArray
    unsure: int


class Positions(NamedTuple):
    """The netting server at one instant: arrays over accounts, fen; headroom = cap + position + unsettled.

    known: for which accounts; time_ms: the instant, that of a sample
    """

    time_ms: int
    known: Any
    position: IntArray
    unsettled: IntArray
    headroom: IntArray


def read_columns(run: Any, name: str, columns: Sequence[str]) -> Columns:
    """Some columns of a result table; of payments only the rows of HVPS and SAPS. InputError if it cannot be read."""
    gross = name == "payments"
    folder = getattr(run, "folder", None)
    if folder is None or name not in run.recorded:
        table = run.payments_of(System.HVPS, System.SAPS) if gross and hasattr(run, "payments_of") else run.table(name)
        return Columns(name, table.select(list(columns)))
    path = folder / f"{name}.parquet"
    try:
        filters = [("system", "in", _SETTLED_BY_SAPS)] if gross else None
        return Columns(name, pq.read_table(path, columns=list(columns), filters=filters))
    except (OSError, pa.ArrowException, KeyError) as error:
        why = " ".join(str(error).split())
        raise InputError(str(path), "", "cannot be read", why, "the table that the run wrote") from None


def check_recorded(run: Run) -> None:
    """InputError if the run did not keep its transfers, payments and accounts."""
    scenario = getattr(run, "scenario", None) or {}
    detail = (scenario.get("record") or {}).get(System.HVPS.value, "payments")
    if detail != "payments":
        lacking = "transfers" if detail == "accounts" else "accounts"
        allowed = f"a run with `record: {{{System.HVPS.value}: payments}}`"
        raise InputError("run", lacking, "the run did not record this table", detail, allowed)


class Ledger:
    """Every account of a run, and what was posted, queued and netted, by time."""

    def __init__(self, run: Run) -> None:
        check_recorded(run)
        self.run = run
        self.told = Told(run)
        accounts = read_columns(
            run, "accounts", ["date", "account", "name", "kind", "owner", "opening_fen", "closing_fen"]
        )
        date = accounts.numbers("date")
        first = np.flatnonzero(date == (date.min() if len(date) else 0))
        columns = [accounts.table.column(name).take(pa.array(first)) for name in ("account", "owner", "name", "kind")]
        self.names, self.owners, self.titles, self.kinds = (column.to_pylist() for column in columns)
        self.row = {name: place for place, name in enumerate(self.names)}
        self.opening = accounts.numbers("opening_fen")[first]
        self._accounts = accounts

    def closing(self, date: int) -> IntArray:
        """Closing balances of a business date (days since 1970-01-01), fen."""
        today = np.flatnonzero(self._accounts.numbers("date") == date)
        balances = np.zeros(len(self.names), np.int64)
        balances[self._rows(self._accounts, "account")[today]] = self._accounts.numbers("closing_fen")[today]
        return balances

    def _rows(self, columns: Columns, name: str) -> Any:
        """A column of account names as rows of this ledger. InputError if one is not an account of the run."""
        column = columns.codes(name)
        unknown = [label for label in column.labels if label not in self.row]
        if unknown and name != "scope":
            raise InputError("table", f"{columns.name}.{name}", "names no account of the run", unknown[0])
        return np.array([self.row.get(label, -1) for label in column.labels] + [-1], np.int64)[column.codes]

    # transfers ------------------------------------------------------------------------------------------------

    @cached_property
    def transfers(self) -> Columns:
        """Transfers in the order of posting."""
        names = ["date", "time_ms", "debtor", "creditor", "amount_fen", "level", "kind", "matching"]
        return read_columns(self.run, "transfers", names)

    @cached_property
    def debtor(self) -> Any:
        """Row of each transfer's debtor."""
        return self._rows(self.transfers, "debtor")

    @cached_property
    def creditor(self) -> Any:
        """Row of each transfer's creditor."""
        return self._rows(self.transfers, "creditor")

    def posted_by(self, at: int) -> int:
        """How many transfers had been posted when an instant (ms) was over."""
        return int(np.searchsorted(self.transfers.numbers("time_ms"), at, side="right"))

    def post(self, balance: IntArray, first: int, last: int) -> None:
        """Post the transfers `first` to `last`, exclusive, on balances (fen)."""
        amount = self.transfers.numbers("amount_fen")[first:last]
        np.subtract.at(balance, self.debtor[first:last], amount)
        np.add.at(balance, self.creditor[first:last], amount)

    def balances(self, at: int) -> IntArray:
        """The balance of every account when an instant was over, fen."""
        balance = self.opening.copy()
        self.post(balance, 0, self.posted_by(at))
        return balance

    # queues ---------------------------------------------------------------------------------------------------

    @cached_property
    def payments(self) -> Columns:
        """Payments of HVPS and items of SAPS."""
        names = ["date", "system", "debtor", "creditor", "amount_fen", "level", "submitted_ms", "settled_ms",
                 "ended_ms"]  # fmt: skip
        return read_columns(self.run, "payments", names)

    def queues(self, at: int) -> Queues:
        """The settlement queues (清算排队) when an instant was over: submitted by then and ended later."""
        payments = self.payments
        submitted, settled = payments.numbers("submitted_ms"), payments.numbers("settled_ms")
        left = np.where(settled == NONE, payments.numbers("ended_ms"), settled)
        rows = np.flatnonzero((submitted != NONE) & (submitted <= at) & ((left == NONE) | (left > at)))
        level, unsure = self._levels(rows, at)
        amount = payments.numbers("amount_fen")[rows]
        sums = []
        for side in ("debtor", "creditor"):
            place = self._rows(payments, side)[rows] * LEVELS + level
            for value in (np.ones(len(rows), np.int64), amount):
                total = np.zeros(len(self.names) * LEVELS, np.int64)
                np.add.at(total, place, value)
                sums.append(total.reshape(-1, LEVELS))
        return Queues(sums[0], sums[1], sums[2], sums[3], unsure)

    def _levels(self, rows: IntArray, at: int) -> tuple[IntArray, int]:
        """The level of each payment at an instant; the table has its last one. And for how many it is not known."""
        level = self.payments.numbers("level")[rows].copy()
        moves: dict[str, list[tuple[int, int]]] = {}
        for event in self.told.beginning(_MOVED):
            if event.detail[len(_MOVED) :].isdigit():
                moves.setdefault(event.subject, []).append((event.time, int(event.detail[len(_MOVED) :])))
        if not moves:
            return level, 0
        ids = read_columns(self.run, "payments", ["system", "payment_id"]).table.column("payment_id")
        first, unsure = written_out(self.run), 0
        for place, payment_id in enumerate(ids.take(pa.array(rows)).to_pylist()):
            by_then = [new for time, new in moves.get(payment_id, []) if time <= at]
            if by_then:
                level[place] = by_then[-1]
            elif payment_id in moves and payment_id in first:
                level[place] = first[payment_id].level
            else:
                unsure += payment_id in moves
        return level, unsure

    # matching under way ---------------------------------------------------------------------------------------

    @cached_property
    def _matchings(self) -> list[tuple[int, int, int]]:
        """Number, beginning and end (ms) of the matchings that took time and settled something."""
        if "matchings" not in self.run.manifest.get("tables", {}):
            return []
        told = read_columns(self.run, "matchings", ["matching", "time_ms", "settled_ms"])
        begun, ended = told.numbers("time_ms"), told.numbers("settled_ms")
        rows = np.flatnonzero((ended != NONE) & (ended > begun))
        return list(
            zip(told.numbers("matching")[rows].tolist(), begun[rows].tolist(), ended[rows].tolist(), strict=True)
        )

    def reserved(self, at: int) -> IntArray:
        """What each account keeps for a matching under way: its net debit in the chosen set, fen."""
        kept = np.zeros(len(self.names), np.int64)
        for number, begun, ended in self._matchings:
            if begun <= at < ended:
                rows = np.flatnonzero(self.transfers.numbers("matching") == number)
                amount = self.transfers.numbers("amount_fen")[rows]
                np.add.at(kept, self.debtor[rows], amount)
                np.subtract.at(kept, self.creditor[rows], amount)
        return np.maximum(kept, 0)

    def failed_matching(self, at: int) -> bool:
        """Whether a matching was under way that settled nothing in the end: what it had chosen is not known."""
        failed = [event for event in self.told.beginning("matching ", ("matching",))
                  if "settled nothing" in event.detail and event.time > at]  # fmt: skip
        if not failed:
            return False
        told = read_columns(self.run, "matchings", ["matching", "time_ms"])
        begun = dict(zip(told.numbers("matching").tolist(), told.numbers("time_ms").tolist(), strict=True))
        numbers = [event.detail.removeprefix("matching ").partition(" ")[0] for event in failed]
        return any(begun.get(int(number), at + 1) <= at for number in numbers if number.isdigit())

    # the netting server ---------------------------------------------------------------------------------------

    @cached_property
    def _samples(self) -> tuple[IntArray, Any, Any, IntArray]:
        """Instant, row, whether it is a headroom, and fen of every sampled position and headroom."""
        series = read_columns(self.run, "series", ["time_ms", "scope", "measure", "value"])
        measure = series.codes("measure")
        kinds = np.array([["position_fen", "headroom_fen"].index(label) if label in ("position_fen", "headroom_fen")
                          else -1 for label in measure.labels] + [-1])[measure.codes]  # fmt: skip
        rows = np.flatnonzero(kinds >= 0)
        return (
            series.numbers("time_ms")[rows], self._rows(series, "scope")[rows], kinds[rows] == 1,
            series.numbers("value")[rows],
        )  # fmt: skip

    def positions(self, at: int | None) -> Positions | None:
        """Positions and headroom at the last sample up to an instant, or at the first; None if there is none."""
        if not self.run.manifest.get("caps"):
            return None
        time, row, is_headroom, value = self._samples
        found = time if at is None else time[time <= at]
        if not len(found):
            return None
        sampled = int(found.min() if at is None else found.max())
        position, headroom = np.zeros((2, len(self.names)), np.int64)
        known = np.zeros(len(self.names), np.bool_)
        now = (time == sampled) & (row >= 0)
        position[row[now & ~is_headroom]] = value[now & ~is_headroom]
        headroom[row[now & is_headroom]] = value[now & is_headroom]
        known[row[now]] = True
        return Positions(sampled, known, position, self._unsettled(sampled), headroom)

    def _unsettled(self, at: int) -> IntArray:
        """Round nets that had been closed and not yet posted when an instant was over, fen, positive = to receive."""
        total = np.zeros(len(self.names), np.int64)
        if "rounds" not in self.run.manifest.get("tables", {}):
            return total
        nets = read_columns(self.run, "rounds", ["time_ms", "participant", "net_fen", "settled_ms"])
        settled = nets.numbers("settled_ms")
        rows = np.flatnonzero((nets.numbers("time_ms") <= at) & ((settled == NONE) | (settled > at)))
        np.add.at(total, self._rows(nets, "participant")[rows], nets.numbers("net_fen")[rows])
        return total
