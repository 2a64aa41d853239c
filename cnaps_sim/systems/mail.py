"""Mail: writes messages for whoever sends them, sends them over the network, and logs every passage.

Banks and the centre compose documents; what stands around a document (transport header, signature, business application
header), which ids it bears and what the clock says is the same for all and stands here.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Protocol

import numpy as np

from cnaps_sim.engine.clock import Clock
from cnaps_sim.engine.network import Network
from cnaps_sim.messages import envelope
from cnaps_sim.messages.app_header import AppHeader, build_app_header
from cnaps_sim.messages.catalogue import Kind, kind_of
from cnaps_sim.messages.envelope import CENTRE, FROM_CENTRE, TO_CENTRE, Header
from cnaps_sim.messages.faults import Refused
from cnaps_sim.messages.rules import Expected
from cnaps_sim.messages.sign import Keys, signature_block
from cnaps_sim.messages.xmltext import CHINA
from cnaps_sim.words.codes import Priority
from cnaps_sim.words.timetable import BusinessDay, Timetable

ACCEPTED: Final = "accepted"
LOST: Final = "lost"
UNDER_WAY: Final = "under way when the run ended"

#: Takes the bytes at the instant of their arrival; answers `accepted`, or why they are refused.
Receive = Callable[[bytes], str]

_MARKS: Final = {Priority.URGT: envelope.URGENT, Priority.HIGH: envelope.HIGH, Priority.NORM: envelope.NORMAL}
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


class Log(Protocol):
    """Where every passage is written down."""

    def note(self, letter: Letter, data: bytes, sent_ms: int, received_ms: int | None, verdict: str) -> None:
        """One passage; `received_ms` is None if the bytes never arrived."""


class Mail:
    """The post office of a run.

    keys: signatures of all parties, None where nothing is signed
    """

    def __init__(
        self, clock: Clock, network: Network, timetable: Timetable, log: Log, keys: Keys | None = None
    ) -> None:
        self.clock = clock
        self.network = network
        self.log = log
        self.keys = keys
        self._expected_by_banks = Expected(verifier=keys)
        self._under_way: dict[int, tuple[Letter, bytes, int]] = {}
        self._last_passage = 0
        self.given_up = 0
        self._timetable = timetable
        first = timetable.business_days[0].date
        self._midnight = dt.datetime(first.year, first.month, first.day, tzinfo=CHINA)
        self._ids: dict[str, int] = {}
        self._passages: dict[str, int] = {}
        self._set_day(timetable.business_days[0])

    def moment(self, time_ms: int) -> dt.datetime:
        """An instant of the run as Beijing time."""
        return self._midnight + dt.timedelta(milliseconds=time_ms)

    @property
    def now(self) -> dt.datetime:
        """The present instant as Beijing time."""
        return self.moment(int(self.clock.now))

    def _set_day(self, day: BusinessDay) -> None:
        self._day = day
        self._date_text = f"{day.date:%Y%m%d}"
        self._expected = Expected(working_date=day.date, verifier=self.keys)
        self._ids.clear()
        self._passages.clear()

    def _keep_up(self) -> None:
        """Follow the clock to the HVPS business date that runs or comes next; numbers begin afresh with it."""
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

    def business_id(self, sender: str) -> str:
        """The next business id of a sender's document: working date (8) and its running number of that date (8)."""
        return self._next(self._ids, sender)

    def _next(self, ids: dict[str, int], sender: str) -> str:
        self._keep_up()
        number = ids[sender] = ids.get(sender, 0) + 1
        return f"{self._date_text}{number:08d}"

    @property
    def expected_by_banks(self) -> Expected:
        """What a participant knows of what arrives: not the date, which the centre tells, perhaps late."""
        return self._expected_by_banks

    def expected(self) -> Expected:
        """What the centre knows of what arrives."""
        self._keep_up()
        return self._expected

    def wrap(self, letter: Letter) -> bytes:
        """The bytes that travel."""
        now = self.now
        app_header = build_app_header(
            AppHeader(letter.sender, letter.receiver, letter.business_id, letter.kind.iso, now, letter.kind.number)
        )
        system = letter.kind.system
        header = Header(
            sender=letter.sender,
            sender_system=system,
            receiver=letter.receiver,
            receiver_system=system,
            date=self.working_date,
            time=now.time().replace(microsecond=0),
            message_type=letter.kind.number,
            message_id=self._next(self._passages, letter.sender),
            reference_id=letter.answers,
            priority=_MARKS[letter.priority],
            direction=FROM_CENTRE if letter.sender == CENTRE else TO_CENTRE,
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
        """Send bytes that have been wrapped."""
        to_centre = letter.receiver == CENTRE
        participant = letter.sender if to_centre else letter.receiver
        arrived = False
        for attempt in self.network.link(participant, to_centre).attempts(int(self.clock.now)):
            if not attempt.arrivals_ms:
                self.log.note(letter, data, attempt.sent_ms, None, LOST)
            for arrival_ms in attempt.arrivals_ms:
                arrived = True
                self._deliver_at(arrival_ms, attempt.sent_ms, letter, data, receive)
        self.given_up += not arrived

    def close(self) -> int:
        """The run is over: what has not arrived is logged as such. Returns how many messages that are."""
        left = list(self._under_way.values())
        self._under_way.clear()
        for letter, data, sent_ms in left:
            self.log.note(letter, data, sent_ms, None, UNDER_WAY)
        return len(left)

    def _deliver_at(self, arrival_ms: int, sent_ms: int, letter: Letter, data: bytes, receive: Receive) -> None:
        self._last_passage += 1
        passage = self._last_passage
        self._under_way[passage] = (letter, data, sent_ms)

        def arrive(bytes_: bytes) -> None:
            del self._under_way[passage]
            verdict = receive(bytes_)
            self.log.note(letter, bytes_, sent_ms, arrival_ms, verdict)

        order = letter.payment if letter.payment >= 0 else 0
        self.network.deliver_at(arrival_ms, data, arrive, order)


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
