"""One payment's story, from instruction to finality, in sentences: what it met, who was ahead, what released it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from cnaps_sim.analysis.explain.account import DebtorAccount
from cnaps_sim.analysis.explain.end import Ending
from cnaps_sim.analysis.explain.limits import SenderLimits
from cnaps_sim.analysis.explain.messages import CENTRE, Passage, trail_of
from cnaps_sim.analysis.explain.queue import EXEMPT, Ahead, Line
from cnaps_sim.analysis.explain.retail import RetailStory, find_item, net_sentences, refuse_unrecorded
from cnaps_sim.analysis.explain.tables import Told, check_tables, day_of_payment
from cnaps_sim.analysis.metrics.columns import Run, as_date, remembered
from cnaps_sim.analysis.metrics.payments import CANCELLED, Payments, midnight_of, payments_of, rows_with_id
from cnaps_sim.analysis.phrases import LEVEL_WORDS, TYPES, cny, joined, span
from cnaps_sim.run.store import opened
from cnaps_sim.words.codes import Level, Priority, System
from cnaps_sim.words.errors import InputError
from cnaps_sim.words.units import MS_PER_DAY, format_clock

#: Payments ahead in the queue that are named; the others are counted.
MOST_NAMED: Final = 5
#: How the ids of messages begin that carry a payment.
_CREDITS: Final = ("pacs.008", "pacs.009")


@dataclass
class Story:
    """What happened to one payment.

    sentences: the story, one thing per sentence
    facts:     the same as numbers: account ids, fen and ms, null where it does not apply
    messages:  the messages about it, where payments travelled as messages
    """

    payment_id: str
    sentences: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    messages: list[Passage] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The object that `explain --json` prints."""
        told: dict[str, Any] = {
            "payment_id": self.payment_id, "sentences": list(self.sentences), "facts": dict(self.facts)
        }  # fmt: skip
        if self.messages:
            told["messages"] = [passage.as_dict() for passage in self.messages]
        return told

    def __str__(self) -> str:
        return "\n".join(self.sentences)


def explain(run: str | Path | Run, payment_id: str) -> Story:
    """The story of one payment of a run, or of the run kept in a folder.

    InputError names the nearest ids if there is no such payment, or says which table makes no sense.
    """
    if not isinstance(payment_id, str):
        raise InputError("payment_id", "", "is no text", payment_id, "the id of a payment")
    run = remembered(opened(run))
    check_tables(run)
    try:
        story = _retail_story(run, payment_id) or _Teller(run, payment_id).story()
        story.messages, problem = trail_of(run, payment_id)
        if problem:
            story.sentences.append(problem)
        return story
    except (ArithmeticError, LookupError, TypeError, ValueError, pa.ArrowException) as error:
        # The tables can come from a folder that anybody may have changed: columns fit, but not to one another.
        raise InputError("run", payment_id, "its tables do not fit together", error, "the tables of one run") from error


def _retail_story(run: Run, payment_id: str) -> Story | None:
    """The story of an item of BEPS or IBPS; None if a payment of HVPS or SAPS has the id, or none."""
    if not run.manifest.get("outcomes"):
        return None
    if rows_with_id(payments_of(run).table.column("payment_id"), payment_id, strict=False):
        return None
    row = find_item(run, payment_id)
    if row is None:
        refuse_unrecorded(run, payment_id)
        return None
    item = RetailStory(run, row, Told(run))
    return Story(payment_id, item.sentences(), item.facts())


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
        self.told = Told(run)
        self.line = Line(run, self.payments, self.told)
        self.account = DebtorAccount(run, self.line, self.told, self.row)
        self.limits = SenderLimits(run, self.account)
        self.ending = Ending(run, self.line, self.told, self.account, self.row)
        self.debtor = self.account.name
        self.amount = int(self.payments.amount[self.row])
        self.level = self.line.level(self.row)
        self.instructed = int(self.payments.instructed[self.row])
        self.submitted = self._time("submitted_ms")
        self.left = self.ending.left
        self._check_order()

    def _check_order(self) -> None:
        """InputError if the payment's own instants contradict one another, or its date is none of the run's."""
        day_of_payment(self.run, self.account.date)
        if self.payments.settled[self.row] and (self.left is None or self.submitted is None):
            raise InputError("table", "payments", "has a settled payment without its instants", self.id)
        times = [time for time in (self.instructed, self.submitted, self.left) if time is not None]
        if times != sorted(times):
            raise InputError("table", "payments", "has a payment that leaves before it comes", self.id)

    def story(self) -> Story:
        """All sentences in order of time."""
        before, after = self._events()
        nets = net_sentences(self.run, self.payments, self.row)
        sentences = [self._what(), *nets, *self._sending(), *self._arrival(), *before, *self.ending.sentences(), *after]
        sentences += [*self.ending.aftermath(), *self.ending.obligation(), *self._doubles()]
        return Story(self.id, sentences, self._facts())

    # what it is ---------------------------------------------------------------------------------------------

    def _what(self) -> str:
        system = self._text("system")
        kind = TYPES.get(self._text("type") or "")
        words = f"{self.id} is {'an' if system == System.HVPS else 'a'} {system} payment"
        if system == System.SAPS:
            words = f"{self.id} is a booking of the central bank in SAPS"
        words += f" of {cny(self.amount)} from {self.debtor} to {self._text('creditor')}"
        if kind is not None:
            words += f", {kind.english} ({kind.chinese})"
        if behalf := self._text("on_behalf_of"):
            words += f", on behalf of {behalf}"
        return f"{words}, at {self._level_words()}."

    def _level_words(self) -> str:
        """The level at which it was sent, or the last one where the run does not tell the first."""
        level = self.level if self.level is not None else Level(int(self.payments.numbers("level")[self.row]))
        priority = Priority.of(level)
        words = f"level {level.value} of the settlement queue ({LEVEL_WORDS[level]})"
        words += f", priority {priority.value}" if priority else ""
        return words if self.level is not None else f"{words}, after a change of level"

    def _sending(self) -> list[str]:
        told = self._when()
        if self.submitted == self.instructed:
            return [f"It was submitted on {told}."]
        if self.submitted is None:
            return [f"{self.debtor} was told on {told} to make it, and never sent it."]
        stops = [
            e.detail for e in self.account.acts if e.detail.startswith("stops sending") and e.time <= self.instructed
        ]
        if not stops and (words := self._way_to_the_centre()):
            return [f"{self.debtor} was told on {told} to make it{words}"]
        why = f" ({stops[-1]})" if stops else ""
        return [
            f"{self.debtor} was told on {told} to make it and held it in its outbox for "
            f"{span(self.submitted - self.instructed)}{why}; it was submitted at {format_clock(self.submitted)}."
        ]

    def _way_to_the_centre(self) -> str:
        """How long the bank held a payment that travelled as a message, and its message's way; "" if it had none."""
        assert self.submitted is not None
        passages, _ = trail_of(self.run, self.id)
        own = [p for p in passages if p.receiver == CENTRE and p.iso.startswith(_CREDITS)]
        if not own:
            return ""
        sent = min(p.sent_ms for p in own)
        held = f" and held it in its outbox for {span(sent - self.instructed)}" if sent > self.instructed else ""
        at = format_clock(self.submitted)
        if not any(p.received_ms is not None for p in own):
            return f"{held}; its message never reached the centre, and at {at} it was given up."
        if self.submitted == sent:
            return ""
        return f"{held}; its message was on its way for {span(self.submitted - sent)} and arrived at {at}."

    # arrival ------------------------------------------------------------------------------------------------

    def _arrival(self) -> list[str]:
        if not self.payments.waited[self.row]:
            return []
        ahead = self._ahead()
        control = self._held_by()
        limits = self._limits_on_arrival()
        later = [] if limits else self._limits_later()
        funds = self._funds(ahead, bool(control), bool(limits))
        return [self._queue_words(ahead), *([control] if control else []), *funds, *limits, *later]

    def _ahead(self) -> Ahead:
        return self.line.ahead(self.row, bool(self.account.control_on_arrival().held))

    def _queue_words(self, ahead: Ahead) -> str:
        words = f"It had to wait in {self.debtor}'s settlement queue (清算排队)"
        rows = ahead.rows
        if rows:
            named = [self._named(row) for row in rows[:MOST_NAMED]]
            if len(rows) > MOST_NAMED:
                named.append(f"{len(rows) - MOST_NAMED:,} more")
            words += f" behind {joined(named)}"
            words += f", {cny(sum(self.payments.amount[rows].tolist()))} in all" if len(rows) > 1 else ""
        elif self.level is not None and not ahead.unsure:
            words += ", with nothing before it"
        if ahead.unsure:
            some = joined([self._named(row) for row in ahead.unsure[:MOST_NAMED]])
            words += f"; whether {some} stood before it is not recorded, since the level changed later"
        return f"{words}."

    def _named(self, row: int) -> str:
        return f"{self.ids[row].as_py()} ({cny(int(self.payments.amount[row]))})"

    def _held_by(self) -> str | None:
        """What held the account's debits when the payment arrived, if it is known that something did."""
        control = self.account.control_on_arrival()
        if not control.held or self.level in EXEMPT:
            return None
        held = [f"{self.debtor}'s debits were held by debit control (借记控制)"] * bool(control.debit)
        held += [f"{self.debtor}'s account was frozen (AS06) and its debits held"] * bool(control.frozen)
        return f"{joined(held)} at that moment."

    def _limits_on_arrival(self) -> list[str]:
        """The debtor's own limits (双边限额, 多边限额) that the payment met."""
        if self.level is None or self.submitted is None:
            return []
        return [f"{words}." for words in self.limits.in_the_way(self.level, self.submitted, on_arrival=True)]

    def _limits_later(self) -> list[str]:
        """Those that stood in its way just before it left the queue, or when the clearing window closed."""
        if self.left is None or self.left == self.submitted:
            return []
        level = int(self.payments.numbers("level")[self.row])
        return [
            f"Just before {format_clock(self.left)}, {words}." for words in self.limits.in_the_way(level, self.left)
        ]

    def _funds(self, ahead: Ahead, held: bool, limited: bool) -> list[str]:
        """What the account held when the payment arrived, as far as the run tells."""
        balance = self.account.balance()
        if balance is None:
            return []
        funds = None if self.level is None else self.account.funds(self.level)
        only_balance = [f"{self.debtor}'s balance was {cny(balance)} at that moment."]
        if funds is None:
            return only_balance
        parts = f" ({funds.parts})" if funds.parts else ""
        reserve = "" if funds.exact else ", before any reservation"
        words = f"{self.debtor} had {cny(funds.available)} available at that moment{parts}{reserve}"
        if funds.available < self.amount:
            return [f"{words}{';' if reserve else ','} {cny(self.amount - funds.available)} too little."]
        if not funds.exact:
            return [f"{words}."]
        if held:
            return [f"{words}; that was enough for it, but it was held."]
        if ahead.rows:
            return [f"{words}; that was enough for it, but not its turn."]
        return [f"{words}; that was enough for it."] if limited else only_balance

    # on the way ---------------------------------------------------------------------------------------------

    def _events(self) -> tuple[list[str], list[str]]:
        """What the run's events say about this payment, until its end and after it."""
        told: tuple[list[tuple[int, str]], list[tuple[int, str]]] = ([], [])
        for event in self.told.about(self.id, ("action", "refusal")):
            if not (event.detail == "cancelled" and self.ending.outcome == CANCELLED):
                late = self.left is not None and event.time > self.left
                told[late].append((event.time, event.detail))
        told[0].extend(self._controls())
        before, after = (sorted(some, key=lambda event: event[0]) for some in told)
        return [_dated(*event) for event in before], [_dated(*event) for event in after]

    def _controls(self) -> list[tuple[int, str]]:
        """Controls put on the account or lifted from it while the payment waited; its release tells the last."""
        if self.submitted is None or not self.payments.waited[self.row] or self.level in EXEMPT:
            return []
        told = []
        for event in self.account.control_events():
            if event.time < self.submitted or (self.left is not None and event.time >= self.left):
                continue
            now = self.account.control(event.time + 1)
            if now.held and not self.account.control(event.time).held:
                told.append((event.time, f"{now.name} was put on {self.debtor}, which held its debits"))
            elif now.held is False:
                told.append((event.time, f"the debits of {self.debtor} were no longer held ({event.detail})"))
        return told

    def _doubles(self) -> list[str]:
        if not self.twins:
            return []
        count = len(self.twins)
        return [f"{count:,} later instruction{'s' if count > 1 else ''} bore the same id."]

    # looking things up --------------------------------------------------------------------------------------

    def _facts(self) -> dict[str, Any]:
        ahead = self._ahead().rows if self.payments.waited[self.row] else []
        return {
            "system": self._text("system"),
            "debtor": self.debtor,
            "creditor": self._text("creditor"),
            "amount_fen": self.amount,
            "level": int(self.payments.numbers("level")[self.row]),
            "level_on_arrival": None if self.level is None else int(self.level),
            "status": self._text("status"),
            "reason": self._text("reason"),
            "reason_iso": self._text("reason_iso"),
            "instructed_ms": self.instructed,
            "submitted_ms": self.submitted,
            "settled_ms": self._time("settled_ms"),
            "ended_ms": self._time("ended_ms"),
            "due_ms": self._time("due_ms"),
            "released_by": self._text("released_by"),
            "ahead": [str(self.ids[row].as_py()) for row in ahead],
        }

    def _text(self, name: str) -> Any:
        return self.payments.table.column(name)[self.row].as_py()

    def _time(self, name: str) -> int | None:
        value = self._text(name)
        return None if value is None else int(value)

    def _when(self) -> str:
        """Natural day and time at which the payment was to be made, and its business date where that is another."""
        booked = as_date(self._text("date"))
        day, rest = divmod(self.instructed - midnight_of(self.run, booked), MS_PER_DAY)
        natural = booked + dt.timedelta(days=day)
        since = format_clock(self.instructed)[: -len(format_clock(rest))].strip()
        notes = [since] * bool(since) + [f"for the business date {booked.isoformat()}"] * (natural != booked)
        return f"{natural.isoformat()} at {format_clock(rest)}" + (f" ({', '.join(notes)})" if notes else "")


def _dated(time: int, words: str) -> str:
    return f"At {format_clock(time)}: {words}."
