"""One payment's story, from instruction to finality, in sentences: what it met, who was ahead, what released it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cnaps_sim.words.codes import Level, Priority, Reason, Refusal, System
from cnaps_sim.words.units import format_clock

from .metrics.columns import NONE, Columns, Run, as_date, columns_of, has_table, remembered
from .metrics.liquidity import Accounts
from .metrics.payments import CANCELLED, QUEUED, REJECTED, RETURNED, Payments, payments_of, rows_with_id, timetable_of
from .metrics.queue import places
from .phrases import BY_REASON, LEVEL_WORDS, RELEASED, TERMS, TYPES, cny, joined, span

#: Payments ahead in the queue that are named; the others are counted.
MOST_NAMED: Final = 5


@dataclass
class Story:
    """What happened to one payment.

    sentences: the story, one thing per sentence
    facts:     the same as numbers: account ids, fen and ms, null where it does not apply
    """

    payment_id: str
    sentences: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The object that `explain --json` prints."""
        return {"payment_id": self.payment_id, "sentences": list(self.sentences), "facts": dict(self.facts)}

    def __str__(self) -> str:
        return "\n".join(self.sentences)


def explain(run: Run, payment_id: str) -> Story:
    """The story of one payment of a run. InputError names the nearest ids if there is no such payment."""
    return _Teller(remembered(run), payment_id).story()


class _Teller:
    """Tells one payment's story from the tables of its run."""

    def __init__(self, run: Run, payment_id: str) -> None:
        self.run = run
        self.payments: Payments = payments_of(run)
        self.ids = self.payments.table.column("payment_id")
        rows = rows_with_id(self.ids, payment_id)
        self.row = rows[0]
        self.twins = rows[1:]
        self.id = payment_id
        self.debtor = self._text("debtor", self.row)
        self.creditor = self._text("creditor", self.row)
        self.amount = int(self.payments.amount[self.row])
        self.level = Level(int(self.payments.numbers("level")[self.row]))
        self.instructed = int(self.payments.instructed[self.row])
        self.submitted = self._time("submitted_ms")
        self.left = None if self.payments.left[self.row] == NONE else int(self.payments.left[self.row])
        self.outcome = int(self.payments.outcome[self.row])
        self.entry, self.exit = places(self.payments)

    def story(self) -> Story:
        """All sentences in order of time."""
        before, after = self._events()
        sentences = [self._what(), *self._sending(), *self._arrival(), *before, *self._ending(), *after]
        sentences += [*self._aftermath(), *self._obligation(), *self._doubles()]
        return Story(self.id, sentences, self._facts())

    # what it is ---------------------------------------------------------------------------------------------

    def _what(self) -> str:
        system, priority = self._text("system", self.row), Priority.of(self.level)
        kind = TYPES.get(self._text("type", self.row) or "")
        words = f"{self.id} is {'an' if system == System.HVPS else 'a'} {system} payment"
        if system == System.SAPS:
            words = f"{self.id} is a booking of the central bank in SAPS"
        words += f" of {cny(self.amount)} from {self.debtor} to {self.creditor}"
        if kind is not None:
            words += f", {kind.english} ({kind.chinese})"
        if behalf := self._text("on_behalf_of", self.row):
            words += f", on behalf of {behalf}"
        level = f"level {self.level.value} of the settlement queue ({LEVEL_WORDS[self.level]})"
        return f"{words}, at {level}" + (f", priority {priority.value}." if priority else ".")

    def _sending(self) -> list[str]:
        told = format_clock(self.instructed)
        if self.submitted == self.instructed:
            return [f"It was submitted on {self._date()} at {told}."]
        if self.submitted is None:
            return [f"{self.debtor} was told on {self._date()} at {told} to make it, and never sent it."]
        held = span(self.submitted - self.instructed)
        why = self._quoted(self.debtor, self.instructed, "stops sending", latest=True)
        return [
            f"{self.debtor} was told on {self._date()} at {told} to make it and held it in its outbox for {held}{why}; "
            f"it was submitted at {format_clock(self.submitted)}."
        ]

    # arrival ------------------------------------------------------------------------------------------------

    def _arrival(self) -> list[str]:
        if not self.payments.waited[self.row]:
            return []
        return [self._queue_words(self._ahead()), *self._funds()]

    def _queue_words(self, ahead: list[int]) -> str:
        if not ahead:
            return f"It had to wait in {self.debtor}'s settlement queue (清算排队), with nothing before it."
        named = [f"{self._id(row)} ({cny(int(self.payments.amount[row]))})" for row in ahead[:MOST_NAMED]]
        if len(ahead) > MOST_NAMED:
            named.append(f"{len(ahead) - MOST_NAMED:,} more")
        total = cny(sum(self.payments.amount[ahead].tolist()))
        return f"It had to wait in {self.debtor}'s settlement queue (清算排队) behind {joined(named)}" + (
            f", {total} in all." if len(ahead) > 1 else "."
        )

    def _ahead(self) -> list[int]:
        """Rows of the same account's payments that waited ahead of it when it arrived, in queue order."""
        debtor, level = self.payments.codes("debtor").codes, self.payments.numbers("level")
        own = self.entry[self.row]
        there = (self.entry >= 0) & (self.entry < own) & ((self.exit < 0) | (self.exit > own))
        rows = np.flatnonzero(there & (debtor == debtor[self.row]) & (level <= int(self.level)))
        ordered: list[int] = rows[np.lexsort((self.entry[rows], level[rows]))].tolist()
        return ordered

    def _funds(self) -> list[str]:
        """What the account held when the payment arrived, as far as the tables tell."""
        if self.submitted is None:
            return []
        balance, terms = self._balance(self.submitted), self._terms(self.submitted)
        if balance is None:
            return []
        if terms is None:
            return [f"{self.debtor}'s balance was {cny(balance)} at that moment."]
        available = balance + terms
        parts = f" (balance {cny(balance)}, overdraft limit less earmark and floor {cny(terms)})" if terms else ""
        words = f"{self.debtor} had {cny(available)} available at that moment{parts}"
        if available < self.amount:
            return [f"{words}, {cny(self.amount - available)} too little."]
        turn = self._ahead()
        return [f"{words}; that was enough for it, but not its turn." if turn else f"{words}, but it was held."]

    def _terms(self, arrived: int) -> int | None:
        """Overdraft limit - earmark - floor of the account, fen; None where it may have changed by then.

        Both lowest figures of the accounts table belong to the same instant as long as the terms stay the same.
        Credit does not count in the clearing window.
        """
        if not has_table(self.run, "accounts"):
            return None
        accounts = columns_of(self.run, "accounts", Accounts)
        today = accounts.numbers("date") == self.payments.numbers("date")[self.row]
        own = np.flatnonzero(today & _is(accounts.codes("account"), self.debtor))
        lowest = accounts.numbers("min_available_fen")[own]
        changed = any(detail.startswith(TERMS) for _, _, detail in self._about(self.debtor, ("action",)))
        day = next(day for day in timetable_of(self.run) if str(day["date"]) == self._date())
        if changed or len(own) == 0 or lowest[0] == NONE or arrived >= int(day["cut_off_ms"]):
            return None
        return int(lowest[0] - accounts.numbers("lowest_fen")[own[0]])

    def _balance(self, arrived: int) -> int | None:
        """The debtor's balance when the payment arrived, fen; None if the run did not keep its accounts."""
        if not has_table(self.run, "accounts"):
            return None
        accounts = columns_of(self.run, "accounts", Accounts)
        today = accounts.numbers("date") == self.payments.numbers("date")[self.row]
        own = np.flatnonzero(today & _is(accounts.codes("account"), self.debtor))
        if len(own) == 0:
            return None
        transfers = columns_of(self.run, "transfers", Columns)
        time = transfers.numbers("time_ms")
        same_date = transfers.numbers("date") == self.payments.numbers("date")[self.row]
        debit, credit = (_is(transfers.codes(side), self.debtor) for side in ("debtor", "creditor"))
        rows = np.flatnonzero((debit | credit) & same_date & (time <= arrived))
        rows = rows[(time[rows] < arrived) | self._before(transfers, rows, arrived)]
        amount = transfers.numbers("amount_fen")
        moved = int(amount[rows[credit[rows]]].sum()) - int(amount[rows[debit[rows]]].sum())
        return int(accounts.numbers("opening_fen")[own[0]]) + moved

    def _before(self, transfers: Columns, rows: Any, arrived: int) -> Any:
        """Which of these transfers were posted before the payment arrived, within its instant."""
        at_once = rows[transfers.numbers("time_ms")[rows] == arrived]
        named = transfers.table.column("payment_id").take(pa.array(at_once))
        place = pc.index_in(self.ids, value_set=pa.array(named.to_pylist(), pa.string())).fill_null(-1).to_numpy()
        found = np.flatnonzero((place >= 0) & self.payments.settled)
        order = self.payments.arrival_order
        arrival = np.full(self.payments.count, -1, np.int64)
        arrival[order] = np.arange(len(order))
        moved = np.where(self.payments.waited[found], self.exit[found], arrival[found] + 1)
        earlier = set(at_once[place[found[(moved >= 0) & (moved <= self.entry[self.row])]]].tolist())
        return np.array([row in earlier for row in rows.tolist()], np.bool_)

    # on the way ---------------------------------------------------------------------------------------------

    def _events(self) -> tuple[list[str], list[str]]:
        """What the run's events say about this payment, until its end and after it."""
        told: tuple[list[str], list[str]] = ([], [])
        for time, _, detail in self._about(self.id, ("action", "refusal")):
            if not (detail == "cancelled" and self.outcome == CANCELLED):
                late = self.left is not None and time > self.left
                told[late].append(f"At {format_clock(time)}: {detail}.")
        return told

    # the end ------------------------------------------------------------------------------------------------

    def _ending(self) -> list[str]:
        if self.outcome == QUEUED:
            return ["When the run stopped it had not come to an end."]
        at = format_clock(self.left) if self.left is not None else "an unknown time"
        if self.outcome == CANCELLED:
            return [f"Its sender cancelled it at {at}{self._after_waiting()} (PR08)."]
        if self.outcome == RETURNED:
            return [
                f"It was still queued when the clearing window (清算窗口) closed at {at}, and was sent back "
                f"(PR09, {Reason.RJ99.value}){self._after_waiting()}."
            ]
        if self.outcome == REJECTED:
            return [self._refusal(at)]
        return [*self._release(), *self._finality(at)]

    def _refusal(self, at: str) -> str:
        reason, iso = self._text("reason", self.row), self._text("reason_iso", self.row)
        codes = ", ".join(code for code in ("PR09", reason, iso) if code)
        when = "on arrival" if self.payments.refused_on_arrival[self.row] else f"at {at}, when its turn came"
        return f"It was refused {when}: {self._why_refused(iso)} ({codes})."

    def _why_refused(self, iso: str | None) -> str:
        if iso == Refusal.LOGGED_OUT.iso and self._logged_out():
            return Refusal.LOGGED_OUT.sentence
        if iso == Refusal.CREDIT_CONTROL.iso and self._control_was_on(self.debtor, "debit control"):
            return Refusal.DEBIT_CONTROL.sentence
        refusal = BY_REASON.get(iso or "")
        return refusal.sentence if refusal else "no reason is recorded"

    def _logged_out(self) -> bool:
        seen = [kind for time, kind, _ in self._about(self.debtor, ("log_in", "log_out")) if time <= self._end()]
        return bool(seen) and seen[-1] == "log_out"

    def _control_was_on(self, account: str, words: str) -> bool:
        told = [detail for time, _, detail in self._about(account, ("action",)) if time <= self._end()]
        switched = [detail for detail in told if detail.startswith(words)]
        return bool(switched) and switched[-1].endswith("on")

    def _release(self) -> list[str]:
        cause = self._text("released_by", self.row)
        if cause is None:
            return []
        if cause.startswith("matching:"):
            return [self._matched(cause)]
        words = RELEASED.get(cause)
        if words is not None:
            return [words.format(debtor=self.debtor) + self._quoted_release(cause) + "."]
        rows = [row for row in rows_with_id(self.ids, cause, strict=False) if self.payments.settled[row]]
        if not rows:
            return [f"It was released by {cause}."]
        row = rows[0]
        payer, payee = self._text("debtor", row), self._text("creditor", row)
        credited = f"credited {payee} and " if payee == self.debtor else ""
        return [
            f"{cause}, {cny(int(self.payments.amount[row]))} from {payer} to {payee}, settled at "
            f"{format_clock(int(self.payments.final[row]))}, {credited}released it."
        ]

    def _matched(self, cause: str) -> str:
        number = int(cause.partition(":")[2])
        words = f"Queue matching (排队撮合) number {number} released it together with payments of others"
        if has_table(self.run, "matchings"):
            matchings = columns_of(self.run, "matchings", Columns)
            rows = np.flatnonzero(matchings.numbers("matching") == number)
            if len(rows):
                settled = int(matchings.numbers("settled")[rows[0]])
                words += f", {settled:,} in all ({cny(int(matchings.numbers('settled_fen')[rows[0]]))})"
        return words + ": their net effect was funded."

    def _finality(self, at: str) -> list[str]:
        status = self._text("status", self.row)
        final = "PR03, netted" if status == "PR03" else "PR04"
        if self.payments.waited[self.row]:
            sentences = [f"It settled at {at} and was final then ({final}){self._after_waiting()}."]
        else:
            at_once = "Nothing stood before it and its account could pay: it settled at once"
            sentences = [f"{at_once}, final at {at} ({final})."]
        return sentences

    def _aftermath(self) -> list[str]:
        """A later reversal or return of the settled payment."""
        status, later = self._text("status", self.row), self._time("ended_ms")
        if status not in ("PR22", "PR23") or later is None:
            return []
        word = "reversed (冲正)" if status == "PR22" else "returned by a payment of its own (退汇)"
        return [f"It was {word} at {format_clock(later)} ({status}); it stays counted as settled."]

    def _after_waiting(self) -> str:
        if self.left is None or self.submitted is None or not self.payments.waited[self.row]:
            return ""
        waited = self.left - self.submitted
        return f" after {span(waited)} in the queue" if waited else ", in the instant in which it was queued"

    def _obligation(self) -> list[str]:
        limit = self._time("due_ms")
        if limit is None:
            return []
        if not self.payments.settled[self.row] or self.left is None:
            return [f"It was due by {format_clock(limit)} and never settled: the obligation was missed."]
        late = self.left - limit
        kept = "kept" if late <= 0 else f"missed by {span(late)}"
        return [f"It was due by {format_clock(limit)}: {kept}."]

    def _doubles(self) -> list[str]:
        if not self.twins:
            return []
        count = len(self.twins)
        return [f"{count:,} later instruction{'s' if count > 1 else ''} bore the same id."]

    # looking things up --------------------------------------------------------------------------------------

    def _facts(self) -> dict[str, Any]:
        return {
            "system": self._text("system", self.row),
            "debtor": self.debtor,
            "creditor": self.creditor,
            "amount_fen": self.amount,
            "level": int(self.level),
            "status": self._text("status", self.row),
            "reason": self._text("reason", self.row),
            "reason_iso": self._text("reason_iso", self.row),
            "instructed_ms": self.instructed,
            "submitted_ms": self.submitted,
            "settled_ms": self._time("settled_ms"),
            "ended_ms": self._time("ended_ms"),
            "due_ms": self._time("due_ms"),
            "released_by": self._text("released_by", self.row),
            "ahead": [self._id(row) for row in self._ahead()] if self.payments.waited[self.row] else [],
        }

    def _about(self, subject: str, kinds: Sequence[str]) -> list[tuple[int, str, str]]:
        """Events about a subject, in order: time, kind, detail."""
        if not has_table(self.run, "events"):
            return []
        events = columns_of(self.run, "events", Columns)
        kind = events.codes("kind")
        rows = np.flatnonzero(_is(events.codes("subject"), subject))
        detail = events.table.column("detail").take(pa.array(rows)).to_pylist()
        told = [
            (int(events.numbers("time_ms")[row]), kind.labels[kind.codes[row]], words)
            for row, words in zip(rows.tolist(), detail, strict=True)
        ]
        return [event for event in told if event[1] in kinds]

    def _quoted(self, subject: str, time: int, words: str, latest: bool = False) -> str:
        """` (detail)` of the action about a subject at a time, or of the latest until then; empty if none fits."""
        found = [
            detail
            for at, _, detail in self._about(subject, ("action",))
            if detail.startswith(words) and (at <= time if latest else at == time)
        ]
        return f" ({found[-1]})" if found else ""

    def _quoted_release(self, cause: str) -> str:
        """Which act it was, where an event of that very instant tells it."""
        if self.left is None or cause in ("cancel", "move", "return"):
            return self._cancelled_ahead() if cause == "cancel" else ""
        return self._quoted(self.debtor, self.left, "")

    def _cancelled_ahead(self) -> str:
        same = self.payments.codes("debtor").codes == self.payments.codes("debtor").codes[self.row]
        rows = np.flatnonzero(same & (self.payments.outcome == CANCELLED) & (self.payments.left == self.left))
        return f" ({joined([self._id(row) for row in rows.tolist()])})" if len(rows) else ""

    def _text(self, name: str, row: int) -> Any:
        return self.payments.table.column(name)[int(row)].as_py()

    def _time(self, name: str) -> int | None:
        value = self.payments.table.column(name)[int(self.row)].as_py()
        return None if value is None else int(value)

    def _id(self, row: int) -> str:
        return str(self.ids[int(row)].as_py())

    def _date(self) -> str:
        return as_date(self._text("date", self.row)).isoformat()

    def _end(self) -> int:
        """The last instant that matters to the payment, ms."""
        return max(time for time in (self.instructed, self.submitted, self.left) if time is not None)


def _is(column: Any, label: str) -> Any:
    """Which rows of a coded column hold the label."""
    if label not in column.labels:
        return np.zeros(len(column.codes), np.bool_)
    return column.codes == column.labels.index(label)
