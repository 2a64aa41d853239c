"""The payments table with what every metric asks of it: outcome, acceptance, instants of leaving the queue.

Outcomes are counted once each: submitted = settled + rejected + returned + cancelled + queued, in count and value.
Accepted payments are all but those refused on arrival.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from cnaps_sim.analysis.metrics.columns import (
    NONE,
    BoolArray,
    Codes,
    Columns,
    IntArray,
    Run,
    Where,
    as_date,
    as_list,
    check_run,
    columns_of,
    frame_of,
)
from cnaps_sim.words.codes import Reason, Status, System
from cnaps_sim.words.errors import InputError, nearest
from cnaps_sim.words.timetable import RETAIL_DATE_SWITCH_MS

#: The systems of the netting server.
RETAIL_SYSTEMS: Final = (System.BEPS, System.IBPS)
#: Items that a metric looks at in one piece; more are a matter for a `where`, or for DuckDB.
MOST_ITEMS: Final = 20_000_000
#: The outcomes in the order of the summary; the number of each is its place here.
OUTCOMES: Final = ("settled", "rejected", "returned", "cancelled", "queued")
SETTLED, REJECTED, RETURNED, CANCELLED, QUEUED = range(5)

#: PR22 and PR23 mark the original of a later reversal or return: it stays settled. Every other status is open.
_OUTCOME_OF_STATUS: Final = {
    Status.PR03: SETTLED,
    Status.PR04: SETTLED,
    Status.PR22: SETTLED,
    Status.PR23: SETTLED,
    Status.PR08: CANCELLED,
    Status.PR21: CANCELLED,
    Status.PR09: REJECTED,
    Status.PR32: REJECTED,
}


class Payments(Columns):
    """Columns of the payments table; every array has one entry per selected row."""

    @cached_property
    def amount(self) -> IntArray:
        """fen."""
        return self.numbers("amount_fen")

    @cached_property
    def instructed(self) -> IntArray:
        """When the bank was told to pay, ms."""
        return self.numbers("instructed_ms")

    @cached_property
    def submitted(self) -> IntArray:
        """When the system received it, ms; `NONE` if it never left the bank."""
        return self.numbers("submitted_ms")

    @cached_property
    def outcome(self) -> npt.NDArray[np.int8]:
        """The number of the outcome, a place in `OUTCOMES` (int8)."""
        status = self.codes("status")
        outcome_of = np.array([_OUTCOME_OF_STATUS.get(label, QUEUED) for label in status.labels] + [QUEUED], np.int8)
        outcome = outcome_of[status.codes]
        reason = self.codes("reason")
        if Reason.RJ99 in reason.labels:
            outcome[reason.codes == reason.labels.index(Reason.RJ99)] = RETURNED
        return outcome

    @cached_property
    def settled(self) -> BoolArray:
        return self.outcome == SETTLED

    @cached_property
    def final(self) -> IntArray:
        """Instant of finality of a settled payment: its posting (PR04), for retail items its netting (PR03)."""
        posted = self.numbers("settled_ms")
        return np.where(posted == NONE, self.numbers("netted_ms"), posted)

    @cached_property
    def left(self) -> IntArray:
        """Instant at which it stopped waiting, ms: settled, refused, returned or cancelled; `NONE` if still open."""
        left = np.where(self.settled, self.final, self.numbers("ended_ms"))
        left[self.outcome == QUEUED] = NONE
        return left

    @cached_property
    def released(self) -> BoolArray:
        """Did anything have to release it? False if it settled on arrival."""
        known: BoolArray = self.table.column("released_by").is_valid().to_numpy()
        return known if self.rows is None else known[self.rows]

    @cached_property
    def retail(self) -> BoolArray:
        """Is it an item of BEPS or IBPS, which is netted?"""
        system = self.codes("system")
        return np.array([label in RETAIL_SYSTEMS for label in system.labels] + [False], np.bool_)[system.codes]

    @cached_property
    def refused_on_arrival(self) -> BoolArray:
        """Rejected at the instant of submission; a payment refused when its turn came was accepted before.

        A retail item is accepted by its cap check, which may come with a reply: whichever is rejected never was.
        """
        at_once = (self.submitted == NONE) | (self.left == self.submitted) | (self.left == NONE) | self.retail
        return (self.outcome == REJECTED) & at_once & ~self.released

    @cached_property
    def accepted(self) -> BoolArray:
        """All but the payments refused on arrival."""
        return ~self.refused_on_arrival

    @cached_property
    def waited(self) -> BoolArray:
        """Did it stand in the settlement queue (清算排队), or a retail item in the cap queue, if only for an instant?

        What is cancelled of retail was in the cap queue; time until a reply is no waiting there, so what is still
        open was not.
        """
        open_or_later = (self.left == NONE) | (self.left > self.submitted)
        if self.retail.any():
            status = self.codes("status")
            kept = np.array([label == Status.PR08 for label in status.labels] + [False], np.bool_)
            open_or_later = np.where(self.retail, kept[status.codes], open_or_later)
        return self.accepted & (self.submitted != NONE) & (self.released | open_or_later)

    @cached_property
    def held(self) -> BoolArray:
        """Did it stand in its bank's outbox before it was submitted?"""
        return (self.submitted != NONE) & (self.submitted > self.instructed)

    @cached_property
    def own(self) -> BoolArray:
        """Is it a payment of a participant, not one of the central bank's own bookings?"""
        system = self.codes("system")
        if System.SAPS not in system.labels:
            return np.ones(self.count, np.bool_)
        return system.codes != system.labels.index(System.SAPS)

    @cached_property
    def arrival_order(self) -> IntArray:
        """Rows in the order in which the system received them; payments that never left their bank are left out.

        At one instant what a bank takes out of its outbox comes first (its return is a fault that ends), then the
        arrivals, then the central bank's own bookings: the clock's fixed order. Ties keep the order of the table.
        """
        rank = np.ones(self.count, np.int8)
        rank[self.held] = 0
        rank[~self.own] = 2
        if (rank == 1).all() and (self.submitted[1:] >= self.submitted[:-1]).all() and self._all_submitted():
            return np.arange(self.count)
        order = np.lexsort((rank, self.submitted))
        return order[self.submitted[order] != NONE]

    def _all_submitted(self) -> bool:
        return self.count == 0 or bool(self.submitted[0] != NONE)

    def scheduled_end(self, run: Run) -> IntArray:
        """Scheduled end of the clearing window (清算窗口) of each payment's business date, ms.

        Of a retail item the date switch (16:00) at the end of its retail date, which need not be a working day.
        """
        date = self.codes("date")
        if self.retail.any():
            return self._retail_end(run, date)
        end_of = {as_date(day["date"]): int(day["window_end_ms"]) for day in timetable_of(run)}
        missing = [label for label in date.labels if label not in end_of]
        if missing:
            raise InputError("manifest.json", "timetable", "does not know a business date of the run", missing[0])
        ends = np.array([end_of[label] for label in date.labels] + [NONE], np.int64)
        return ends[date.codes]

    def _retail_end(self, run: Run, date: Codes) -> IntArray:
        switches = [midnight_of(run, label) + RETAIL_DATE_SWITCH_MS for label in date.labels]
        windows = {as_date(day["date"]): int(day["window_end_ms"]) for day in timetable_of(run)}
        ends = np.array([windows.get(label, NONE) for label in date.labels] + [NONE], np.int64)
        return np.where(self.retail, np.array([*switches, NONE], np.int64)[date.codes], ends[date.codes])


def payments_of(run: Run, where: Where = None, by: str | Sequence[str] | None = None) -> Payments:
    """The payments of a run, narrowed by `where`.

    Those of HVPS and SAPS; the items of BEPS and IBPS too where `where` names their system, or `by` asks for systems
    and the run recorded them. InputError if `where` names a system whose items were not recorded.
    """
    check_run(run)
    systems = retail_asked(run, where, by)
    if not systems:
        return columns_of(run, "payments", Payments).narrow(where, frame_of(run, "payments"))
    parts = list(retail_rows(run, systems, where))
    if _asks_for_others(where):
        gross = columns_of(run, "payments", Payments).narrow(where, frame_of(run, "payments"))
        parts.insert(0, gross.table if gross.rows is None else gross.table.take(pa.array(gross.rows)))
    table = pa.concat_tables(parts).unify_dictionaries() if parts else run.table("payments").slice(0, 0)
    return Payments("payments", table)


def retail_asked(run: Run, where: Where, by: str | Sequence[str] | None = None) -> list[str]:
    """The retail systems whose items a metric needs one by one."""
    cleared = list(run.manifest.get("outcomes") or ())
    if not cleared:
        return []
    record = (getattr(run, "scenario", None) or {}).get("record") or {}
    recorded = [name for name in cleared if record.get(name) == "payments"]
    if isinstance(where, Mapping) and "system" in where:
        named = where["system"]
        wanted = list(named) if isinstance(named, (list, tuple, set, frozenset)) else [named]
        missing = [name for name in cleared if name in wanted and name not in recorded]
        if missing:
            allowed = f"a run with `record: {{{missing[0]}: payments}}`"
            raise InputError("where", "system", "the run did not record the items of this system", missing[0], allowed)
        return [name for name in recorded if name in wanted]
    return recorded if "system" in as_list(by) else []


def _asks_for_others(where: Where) -> bool:
    if not isinstance(where, Mapping) or "system" not in where:
        return True
    named = where["system"]
    wanted = list(named) if isinstance(named, (list, tuple, set, frozenset)) else [named]
    return any(name not in RETAIL_SYSTEMS for name in wanted)


def retail_rows(run: Any, systems: Sequence[str], where: Where = None) -> Iterator[pa.Table]:
    """The items of these systems that `where` asks for, part by part; of a large table only one part is in memory.

    InputError if more than `MOST_ITEMS` are asked for at once.
    """
    batches = getattr(run, "batches", None)
    wanted = pa.array(list(systems), pa.string())
    found = 0
    for batch in [run.table("payments")] if batches is None else batches("payments"):
        part = batch.filter(pc.is_in(batch["system"].cast(pa.string()), wanted))
        if not part.num_rows:
            continue
        chosen = Payments("payments", part).narrow(where, part.to_pandas)
        part = part if chosen.rows is None else part.take(pa.array(chosen.rows))
        found += part.num_rows
        if found > MOST_ITEMS:
            allowed = "a `where` that asks for fewer, such as one debtor or one round"
            raise InputError("where", "", "asks for more items than fit in memory", f"over {MOST_ITEMS:,}", allowed)
        yield part


def timetable_of(run: Run) -> list[dict[str, Any]]:
    """The run's business dates with opening, cut-off and scheduled end of the clearing window (ms)."""
    days = run.manifest.get("timetable")
    if not days:
        raise InputError("manifest.json", "timetable", "is missing")
    return list(days)


def midnight_of(run: Run, date: dt.date) -> int:
    """00:00 of a business date on the run's time scale, ms."""
    first = as_date(timetable_of(run)[0]["date"])
    return (date - first).days * 86_400_000


def rows_with_id(ids: Any, payment_id: str, strict: bool = True) -> list[int]:
    """Rows with this id, in order. InputError names the nearest ids if there is none and `strict` is set."""
    rows: list[int] = pc.indices_nonzero(pc.equal(ids, pa.scalar(payment_id, ids.type))).to_pylist()
    if not rows and strict:
        raise InputError("payment_id", "", "no such payment", payment_id, nearest(payment_id, _like(ids, payment_id)))
    return rows


def _like(ids: Any, word: str, most: int = 2_000) -> list[str]:
    """Some ids that begin as the word does: among millions nobody can compare them all."""
    for length in range(len(word), -1, -1):
        found = ids.filter(pc.starts_with(ids, word[:length])) if length else ids
        if len(found) >= 3 or length == 0:
            step = max(1, len(found) // most)
            chosen: list[str] = found.take(pa.array(range(0, len(found), step), pa.int64())).to_pylist()
            return chosen
    return []
