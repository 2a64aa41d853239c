"""Happenings: all that a run did, in order, for those who tell it event by event (`replay`, `steps`).

The tables say when, and the transfers in which order money moved. Within a millisecond the order is that of the clock
(`engine.clock.Rank`): phases, arrivals by their number and what each released, actions, matchings; at the close a last
matching, then what is sent back. A posting stands where the chain of what released it begins; none comes before an
earlier one. What the tables leave open is told
in a fixed order: of a millisecond with continuous matching, all its arrivals before its matchings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import IntEnum
from typing import Any, Final, NamedTuple

from cnaps_sim.analysis.drawing import plural
from cnaps_sim.analysis.metrics.columns import NONE, Columns, Run
from cnaps_sim.analysis.metrics.payments import CANCELLED, REJECTED, RETURNED, Payments
from cnaps_sim.analysis.phrases import TRIGGERS
from cnaps_sim.words.codes import HVPS_LEVELS, Cause, Level, Phase, TransferKind


class Kind(IntEnum):
    """What happened, and so in which table its row stands."""

    EVENT = 0  # events
    ARRIVAL = 1  # payments: one has to wait
    POSTING = 2  # transfers
    DEPARTURE = 3  # payments: one goes away unsettled
    LOOK = 4  # matchings: one looks at the queues


class Happening(NamedTuple):
    """One thing that happened: ms of the run, what, and its row in the table of that kind."""

    time_ms: int
    kind: Kind
    row: int


#: Ranks within a millisecond.
_PHASES, _ARRIVALS, _ACTIONS, _MATCHINGS, _RETURNS, _WARNINGS, _CLOSE = range(7)
#: Slots within actions and returns: what was told, what is booked, what goes away, what that lets go.
_TOLD, _BOOKED, _GONE, _FREED = range(4)
_FREEING: Final = frozenset(cause.word for cause in (Cause.CANCEL, Cause.CONTROL))
#: Events of a phase; the others are of actions.
_OF_PHASES: Final = frozenset({"phase", "short", "default", "overdue"})
#: Moves that come just before the payment that they cover.
_COVERING: Final = frozenset({TransferKind.POOL.value, TransferKind.PLEDGE.value})
#: Moves that come just after the posting that made them possible.
_FOLLOWING: Final = frozenset({TransferKind.REPAYMENT.value, TransferKind.INTEREST.value})
#: Words for a release that was covered when a posting before it had changed something.
_BY_COVER: Final = frozenset({Cause.POOL.word, Cause.PLEDGE.word})
#: Rank, slot, and a number: of the arrival, the booking, the matching, or the place in the queues.
_Place = tuple[int, int, int]
_BOOKING: Final = (_ACTIONS, _BOOKED, 0)
#: Before every other place: it stands where the posting before it does.
_FOLLOWS: Final = (-1, 0, 0)
_AT_CLOSE: Final = (_RETURNS, _FREED, 0)


def happenings(run: Run, payments: Payments) -> list[Happening]:
    """Everything that happened in a run that recorded its payments, in order. Made for small runs."""
    found = sorted(_Order(run, payments).keyed())
    return [Happening(key[0], kind, row) for key, kind, row in found]


def rows_of_ids(payments: Payments) -> dict[str, int]:
    """The row of each payment id; of an id given twice the first, for the second is refused."""
    found: dict[str, int] = {}
    for row, name in enumerate(payments.table.column("payment_id").to_pylist()):
        found.setdefault(name, row)
    return found


def look_words(matchings: Columns, row: int, chosen: int) -> str:
    """A matching as a sentence: why it looks at the queues, at how much, and how many payments it chose."""
    number, considered = (int(matchings.numbers(name)[row]) for name in ("matching", "considered"))
    trigger = matchings.codes("trigger")
    word = TRIGGERS.get(str(trigger.labels[trigger.codes[row]]), ("", ""))[0]
    found = f"{chosen} that can settle together" if chosen else "none that could settle"
    return f"Matching {number} ({word}) looks at {plural(considered, 'waiting payment')} and finds {found}"


class _Order:
    """Where each happening stands."""

    def __init__(self, run: Run, payments: Payments) -> None:
        self.run = run
        self.payments = payments
        self.levels = payments.numbers("level").tolist()
        self.of_id = rows_of_ids(payments)
        self.debtors: list[str] = payments.table.column("debtor").to_pylist()
        self.accounts: dict[str, int] = {}
        for name in run.table("accounts").column("account").to_pylist():
            self.accounts.setdefault(name, len(self.accounts))
        self.released_by: list[str | None] = payments.table.column("released_by").to_pylist()
        self.transfers: list[dict[str, Any]] = run.table("transfers").to_pylist()
        self.events: list[dict[str, Any]] = run.table("events").to_pylist()
        self.closes = {event["time_ms"] for event in self.events if _is_close(event)}
        self.places = self._places_of_postings()

    def keyed(self) -> Iterator[tuple[tuple[int, ...], Kind, int]]:
        """Each with what it is sorted by."""
        for row, event in enumerate(self.events):
            yield (event["time_ms"], *_place_of_event(event), 0, row), Kind.EVENT, row
        for row, (transfer, place) in enumerate(zip(self.transfers, self.places, strict=True)):
            yield (transfer["time_ms"], *place, 1, row), Kind.POSTING, row
        yield from self._waiting_and_gone()
        matchings = self.run.table("matchings")
        pairs = zip(matchings["time_ms"].to_pylist(), matchings["matching"].to_pylist(), strict=True)
        for row, (time_ms, number) in enumerate(pairs):
            yield (time_ms, _MATCHINGS, 0, number, 0, row), Kind.LOOK, row

    def _waiting_and_gone(self) -> Iterator[tuple[tuple[int, ...], Kind, int]]:
        payments = self.payments
        posted: dict[int, tuple[int, _Place]] = {}
        for transfer, place in zip(self.transfers, self.places, strict=True):
            posted.setdefault(self.of_id.get(transfer["payment_id"], NONE), (transfer["time_ms"], place))
        for row in range(payments.count):
            submitted, left, outcome = int(payments.submitted[row]), int(payments.left[row]), payments.outcome[row]
            arrival = self._arrival(row)
            if payments.waited[row] or (outcome == CANCELLED and submitted != NONE):
                time_ms, place = posted.get(row, (NONE, arrival))
                first = min(arrival, place) if time_ms == submitted else arrival
                yield (submitted, *first, 0, row), Kind.ARRIVAL, row
            if outcome == RETURNED:
                yield (left, _RETURNS, _GONE, self._place_in_line(row), 0, row), Kind.DEPARTURE, row
            elif outcome in (REJECTED, CANCELLED) and left != NONE:
                gone = arrival if outcome == REJECTED and left == submitted else (_ACTIONS, _GONE, 0)
                yield (left, *gone, 0, row), Kind.DEPARTURE, row

    def _place_in_line(self, row: int) -> int:
        """Where the close finds a payment that it sends back: account by account, level by level."""
        return self.accounts[self.debtors[row]] * len(Level) + self.levels[row]

    def _arrival(self, row: int) -> _Place:
        """A payment comes in its turn; what the central bank books is an action."""
        return (_ARRIVALS, 0, row) if self.levels[row] in HVPS_LEVELS else (_ACTIONS, _BOOKED, row)

    def _places_of_postings(self) -> list[_Place]:
        """The place of each transfer; none before that of an earlier one of the same millisecond."""
        places: list[_Place] = []
        last_ms = NONE
        for transfer, place in zip(self.transfers, self._with_moves(), strict=True):
            if transfer["time_ms"] == last_ms:
                places.append(max(place, places[-1]))
            else:
                places.append(_BOOKING if place == _FOLLOWS else place)
            last_ms = transfer["time_ms"]
        return places

    def _with_moves(self) -> list[_Place]:
        """A move comes with the posting after it, if it covers that payment or it is of an arrival."""
        places: list[_Place] = []
        after: _Place | None = None
        after_ms = NONE
        for transfer, own in zip(reversed(self.transfers), reversed(self._own_places()), strict=True):
            if transfer["time_ms"] != after_ms:
                after, after_ms = None, transfer["time_ms"]
            kind, place = transfer["kind"], own
            if place is None and transfer["time_ms"] in self.closes:
                place = _AT_CLOSE
            elif place is None and kind in _FOLLOWING:
                place = _FOLLOWS
            elif place is None:
                is_with = after is not None and (kind in _COVERING or after[0] == _ARRIVALS)
                place = after if is_with and after is not None else _BOOKING
            if kind not in _FOLLOWING:
                after = place
            places.append(place)
        return places[::-1]

    def _own_places(self) -> list[_Place | None]:
        """The place of each payment's posting, by what released it; None for a move, which has no payment."""
        found: list[_Place | None] = []
        of_posted: dict[str, tuple[int, _Place]] = {}
        for transfer in self.transfers:
            row = self.of_id.get(transfer["payment_id"])
            place = None if row is None else self._released(row, transfer, of_posted)
            if place is not None:
                of_posted[transfer["payment_id"]] = transfer["time_ms"], place
            found.append(place)
        return found

    def _released(self, row: int, transfer: Mapping[str, Any], posted: Mapping[str, tuple[int, _Place]]) -> _Place:
        if transfer["matching"] is not None:
            return _MATCHINGS, 0, int(transfer["matching"])
        word = self.released_by[row]
        if word is None:
            return self._arrival(row)
        time_ms, place = posted.get(word, (NONE, _BOOKING))
        if time_ms == transfer["time_ms"]:
            return place
        if transfer["time_ms"] in self.closes:
            return _AT_CLOSE
        if word in _BY_COVER:
            return _FOLLOWS
        return (_ACTIONS, _FREED, 0) if word in _FREEING else _BOOKING


def _is_close(event: Mapping[str, Any]) -> bool:
    """Whether it is the end of a date."""
    return event["kind"] == "phase" and str(event["detail"]).startswith(f"{int(Phase.END_OF_DAY)} ")


def _place_of_event(event: Mapping[str, Any]) -> _Place:
    if event["kind"] == "warning":
        return _WARNINGS, 0, 0
    if _is_close(event):
        return _CLOSE, 0, 0
    return (_PHASES, 0, 0) if event["kind"] in _OF_PHASES else (_ACTIONS, _TOLD, 0)
