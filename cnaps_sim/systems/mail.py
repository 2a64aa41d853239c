"""Mail: writes messages for whoever sends them, sends them over the network, and logs every passage.

Banks and the centre compose documents; what stands around a document (transport header, signature, business application
header), which ids it bears and what the clock says is the same for all and stands here.

Over a link that loses or delays, a sender keeps what it sent until it hears of its arrival, sends the same bytes again
after every `resend_after_ms` of silence, and gives up after `most_attempts`. A bank hears of it by the centre's receipt
(通信级确认, admi.007) or technical refusal (admi.002), the very messages of the log; the centre by a confirmation of
the bank's front end, which travels back as everything does but is no message. Receipts are sent once, nobody waits for
them. The other side tells a resend from a new message, so everything is booked at most once.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Protocol

import numpy as np

from cnaps_sim.engine.clock import Clock, Rank
from cnaps_sim.engine.network import Link, Network
from cnaps_sim.messages import envelope, technical
from cnaps_sim.messages.app_header import AppHeader, build_app_header
from cnaps_sim.messages.catalogue import Kind, kind_of
from cnaps_sim.messages.envelope import CENTRE, FROM_CENTRE, MESSAGE_ID, TO_CENTRE, Header, compact_date
from cnaps_sim.messages.faults import Refused
from cnaps_sim.messages.rules import Expected
from cnaps_sim.messages.sign import Keys, signature_block
from cnaps_sim.messages.xmltext import CHINA
from cnaps_sim.words.codes import Priority, System
from cnaps_sim.words.retail_days import RetailDay
from cnaps_sim.words.timetable import BusinessDay, Timetable

ACCEPTED: Final = "accepted"
LOST: Final = "lost"
UNDER_WAY: Final = "under way when the run ended"
RESENT: Final = "resent, answered from memory"
REPEATED: Final = "resent, read before"
#: What the log says of passages of which nobody refused anything.
NOT_REFUSED: Final = frozenset({ACCEPTED, LOST, UNDER_WAY, RESENT, REPEATED})

#: Takes the bytes at the instant of their arrival; answers `accepted`, or why they are refused.
Receive = Callable[[bytes], str]

_MARKS: Final = {Priority.URGT: envelope.URGENT, Priority.HIGH: envelope.HIGH, Priority.NORM: envelope.NORMAL}
#: Systems whose dates change at 16:00, and how the numbers of their messages begin.
RETAIL_SYSTEMS: Final = frozenset({System.BEPS, System.IBPS})
_RETAIL_NUMBERS: Final = (b"beps.", b"ibps.")
#: What payments may be called so that messages can carry their ids.
_REFERENCE = re.compile(r"(?=.{1,35}$)\S+( \S+)*")


@dataclass(frozen=True, slots=True)
class Letter:
    """A document on its way.

    kind:        its row in the catalogue
    sender, receiver: bank codes, 0000 for the centre
    business_id: the document's own id
    document:    its bytes
    reference:   the payment it is about, "" if none; payment: that payment's sequence, -1 without one
    priority:    settlement priority
    answers:     communication id of the message that this one answers, "" if none
    kept:        its bank had kept the payment back: it comes before what else arrives in its ms, in the order sent
    """

    kind: Kind
    sender: str
    receiver: str
    business_id: str
    document: bytes
    reference: str = ""
    payment: int = -1
    priority: Priority = Priority.NORM
    answers: str = ""
    kept: bool = False


@dataclass(slots=True)
class Posted:
    """A message that has been sent.

    attempts: how often; lost: how many of those passages never arrive; arrived: whether one has
    """

    letter: Letter
    data: bytes
    receive: Receive
    link: Link
    attempts: int = 0
    lost: int = 0
    arrived: bool = False

    @property
    def is_lost(self) -> bool:
        """Whether every attempt has been made in vain."""
        return self.lost == self.link.terms.most_attempts


class Log(Protocol):
    """Where every passage is written down."""

    def note(self, letter: Letter, data: bytes, sent_ms: int, received_ms: int | None, verdict: str) -> None:
        """One passage; `received_ms` is None if the bytes never arrived."""


class Mail:
    """The post office of a run.

    keys: signatures of all parties, None where nothing is signed
    lost: passages that never arrived; given_up: messages of which no attempt arrived
    on_given_up: told a message of which no attempt arrived, with how often it was sent
    on_refused:  told a message that its receiver refuses, and why
    on_under_way: told a message that was still on its way when the run ended
    """

    def __init__(
        self, clock: Clock, network: Network, timetable: Timetable, log: Log, keys: Keys | None = None
    ) -> None:
        self.clock = clock
        self.network = network
        self.log = log
        self.keys = keys
        self._expected_by_banks = Expected(verifier=keys)
        self._under_way: dict[int, tuple[Posted, int]] = {}
        self._last_passage = 0
        self._waiting: dict[tuple[str, bytes], Posted] = {}
        self._told: dict[tuple[str, int], int] = {}
        self.lost = 0
        self.given_up = 0
        self.on_given_up: Callable[[Letter, int], None] = lambda *_: None
        self.on_refused: Callable[[Letter, str], None] = lambda *_: None
        self.on_under_way: Callable[[Letter], None] = lambda *_: None
        self._timetable = timetable
        first = timetable.business_days[0].date
        self._midnight = dt.datetime(first.year, first.month, first.day, tzinfo=CHINA)
        self._ids: dict[tuple[dt.date, str], int] = {}
        self._passages: dict[tuple[dt.date, str], int] = {}
        self._retail_days: Sequence[RetailDay] = ()
        self._retail_day: RetailDay | None = None
        self._set_day(timetable.business_days[0])

    def follow_retail(self, days: Sequence[RetailDay]) -> None:
        """BEPS and IBPS run on these dates of their own."""
        self._retail_days = days
        self._retail_day = days[0]
        self._expected_retail = Expected(working_date=days[0].date, verifier=self.keys)

    def moment(self, time_ms: int) -> dt.datetime:
        """An instant of the run as Beijing time."""
        return self._midnight + dt.timedelta(milliseconds=time_ms)

    @property
    def now(self) -> dt.datetime:
        """The present instant as Beijing time."""
        return self.moment(int(self.clock.now))

    def _set_day(self, day: BusinessDay) -> None:
        self._day = day
        self._expected = Expected(working_date=day.date, verifier=self.keys)
        self._forget_numbers()

    def _forget_numbers(self) -> None:
        """Numbers begin afresh with a date; those of dates that are over are needed no more."""
        oldest = min(self._day.date, self._retail_day.date if self._retail_day else self._day.date)
        for numbers in (self._ids, self._passages):
            for key in [key for key in numbers if key[0] < oldest]:
                del numbers[key]

    def _keep_up(self) -> None:
        """Follow the clock to the HVPS business date that runs or comes next."""
        now = int(self.clock.now)
        if now > self._day.window_end_ms:
            days = self._timetable.business_days
            day = days[min(int(np.asarray(self._timetable.day_index(now))), len(days) - 1)]
            if day is not self._day:
                self._set_day(day)

    @property
    def working_date(self) -> dt.date:
        """The HVPS business date (工作日期) that runs or comes next."""
        self._keep_up()
        return self._day.date

    @property
    def retail_date(self) -> dt.date:
        """The retail date that runs; before the first and after the last one, that one."""
        day = self._retail_day
        assert day is not None, "a run without retail payments has no retail date"
        now = int(self.clock.now)
        if now >= day.ends_ms and day is not self._retail_days[-1]:
            day = next((later for later in self._retail_days if now < later.ends_ms), self._retail_days[-1])
            self._retail_day = day
            self._expected_retail = Expected(working_date=day.date, verifier=self.keys)
            self._forget_numbers()
        return day.date

    @property
    def has_retail(self) -> bool:
        """Whether BEPS and IBPS run on dates of their own."""
        return self._retail_day is not None

    def date_of(self, system: System) -> dt.date:
        """The date that messages of a system bear now."""
        return self.retail_date if system in RETAIL_SYSTEMS and self.has_retail else self.working_date

    def business_id(self, sender: str, system: System = System.HVPS) -> str:
        """The next business id of a sender's document: date (8) and its running number of that date (8).

        In IBPS the sender's bank code stands before them.
        """
        number = self._next(self._ids, sender, self.date_of(system))
        return sender + number if system is System.IBPS else number

    def _next(self, ids: dict[tuple[dt.date, str], int], sender: str, date: dt.date) -> str:
        number = ids[date, sender] = ids.get((date, sender), 0) + 1
        return f"{compact_date(date)}{number:08d}"

    @property
    def expected_by_banks(self) -> Expected:
        """What a participant knows of what arrives: not the date, which the centre tells, perhaps late."""
        return self._expected_by_banks

    def expected(self, number: bytes = b"") -> Expected:
        """What the centre knows of what arrives under this CNAPS number."""
        if self.has_retail and number.startswith(_RETAIL_NUMBERS):
            _ = self.retail_date
            return self._expected_retail
        self._keep_up()
        return self._expected

    def wrap(self, letter: Letter) -> bytes:
        """The bytes that travel."""
        now = self.now
        app_header = build_app_header(
            AppHeader(letter.sender, letter.receiver, letter.business_id, letter.kind.iso, now, letter.kind.number)
        )
        system = letter.kind.system
        date = self.date_of(system)
        header = Header(
            sender=letter.sender,
            sender_system=system,
            receiver=letter.receiver,
            receiver_system=system,
            date=date,
            time=now.time().replace(microsecond=0),
            message_type=letter.kind.number,
            message_id=self._next(self._passages, letter.sender, date),
            reference_id=letter.answers,
            priority=_MARKS[letter.priority],
            direction=FROM_CENTRE if letter.kind.way.allows(FROM_CENTRE) and letter.sender == CENTRE else TO_CENTRE,
        )
        signature = ""
        if self.keys is not None:
            signature = signature_block(self.keys, letter.sender, app_header, letter.document)
        return envelope.write(header, signature, app_header, letter.document)

    def send(self, letter: Letter, receive: Receive) -> bytes:
        """Wrap and send a document; `receive` is called at every arrival. Returns the bytes."""
        data = self.wrap(letter)
        self.send_again(letter, data, receive)
        return data

    def send_again(self, letter: Letter, data: bytes, receive: Receive) -> None:
        """Send bytes that have been wrapped, and again until their sender hears of their arrival or gives up."""
        to_centre = letter.receiver == CENTRE
        link = self.network.link(letter.sender if to_centre else letter.receiver, to_centre)
        posted = Posted(letter, data, receive, link)
        if not link.terms.is_perfect and letter.kind.iso != technical.ADMI_007:
            self._wait_for(posted)
        self._attempt(posted)

    def _wait_for(self, posted: Posted) -> None:
        letter = posted.letter
        self._waiting[letter.sender, posted.data[MESSAGE_ID]] = posted
        if letter.payment >= 0:
            about = (letter.receiver, letter.payment)
            self._told[about] = self._told.get(about, 0) + 1

    def _attempt(self, posted: Posted) -> None:
        """One passage of a message, and the next if nothing is heard of it in time."""
        letter, data = posted.letter, posted.data
        sent_ms = int(self.clock.now)
        posted.attempts += 1
        arrivals_ms = posted.link.passage(sent_ms)
        if not arrivals_ms:
            posted.lost += 1
            self.lost += 1
            self.log.note(letter, data, sent_ms, None, LOST)
        for arrival_ms in arrivals_ms:
            self._deliver_at(arrival_ms, sent_ms, posted)
        key = (letter.sender, data[MESSAGE_ID])
        if key in self._waiting:
            self.clock.call_at(sent_ms + posted.link.terms.resend_after_ms, Rank.ARRIVAL, lambda: self._look_for(key))

    def _look_for(self, key: tuple[str, bytes]) -> None:
        """A sender has waited long enough: the next attempt, or the end of them."""
        posted = self._waiting.get(key)
        if posted is None:
            return
        if posted.attempts < posted.link.terms.most_attempts:
            self._attempt(posted)
        else:
            self._leave(key)

    def _leave(self, key: tuple[str, bytes]) -> None:
        """Nothing more is sent of a message."""
        posted = self._waiting.pop(key, None)
        if posted is None:
            return
        about = (posted.letter.receiver, posted.letter.payment)
        if about in self._told:
            self._told[about] -= 1
            if not self._told[about]:
                del self._told[about]
        if posted.is_lost:
            self.given_up += 1
            self.on_given_up(posted.letter, posted.attempts)

    def confirm(self, sender: str, message_id: bytes) -> None:
        """A sender hears that its message has arrived; `message_id` is the communication id (通信级标识号)."""
        if self._waiting:
            self._leave((sender, message_id))

    def is_telling(self, receiver: str, payment: int) -> bool:
        """Whether something about this payment is still being sent to a receiver, who has not confirmed it."""
        return (receiver, payment) in self._told

    def close(self) -> int:
        """The run is over: what has not arrived is logged as such. Returns how many passages that are."""
        for key, posted in list(self._waiting.items()):
            if posted.is_lost:
                self._leave(key)
        left = list(self._under_way.values())
        for posted, sent_ms in left:
            self.log.note(posted.letter, posted.data, sent_ms, None, UNDER_WAY)
        unfinished = [*self._waiting.values(), *[posted for posted, _ in left]]
        for posted in {id(posted): posted for posted in unfinished if not posted.arrived}.values():
            self.on_under_way(posted.letter)
        self._under_way.clear()
        self._waiting.clear()
        self._told.clear()
        return len(left)

    def _deliver_at(self, arrival_ms: int, sent_ms: int, posted: Posted) -> None:
        self._last_passage += 1
        passage = self._last_passage
        self._under_way[passage] = (posted, sent_ms)
        letter = posted.letter

        def arrive(data: bytes) -> None:
            del self._under_way[passage]
            posted.arrived = True
            verdict = posted.receive(data)
            self.log.note(letter, data, sent_ms, arrival_ms, verdict)
            if verdict not in NOT_REFUSED:
                self.on_refused(letter, verdict)
            if letter.sender == CENTRE and (CENTRE, data[MESSAGE_ID]) in self._waiting:
                self._confirm_over(self.network.link(letter.receiver, to_centre=True), data[MESSAGE_ID])

        order = -1 if letter.kept else max(0, letter.payment)
        self.network.deliver_at(arrival_ms, posted.data, arrive, order)

    def _confirm_over(self, link: Link, message_id: bytes) -> None:
        """A bank's front end confirms a message of the centre."""
        now = int(self.clock.now)
        for heard_ms in link.passage(now)[:1]:
            if heard_ms == now:
                self.confirm(CENTRE, message_id)
            else:
                self.clock.call_at(heard_ms, Rank.ARRIVAL, lambda: self.confirm(CENTRE, message_id))


@lru_cache
def kind(number: str, iso: str) -> Kind:
    """A row of the catalogue that this program names."""
    found = kind_of(number, iso)
    assert found is not None, f"{number} with {iso} is not in the catalogue"
    return found


def can_travel(payment_id: str) -> bool:
    """Whether a message can carry this id: up to 35 printable characters, no blanks at its ends and no two together."""
    return payment_id.isprintable() and _REFERENCE.fullmatch(payment_id) is not None


def verdict_of(refused: Refused) -> str:
    """The log's word for a refusal: layer, path, reason and code."""
    return refused.fault.sentence()
