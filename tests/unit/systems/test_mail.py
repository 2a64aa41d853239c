"""The mail: how often bytes are sent until their sender hears of their arrival, and what becomes of the rest."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from cnaps_sim.core import Books
from cnaps_sim.engine.clock import Clock
from cnaps_sim.engine.network import LinkTerms, Network
from cnaps_sim.messages.envelope import CENTRE, MESSAGE_ID
from cnaps_sim.scenario.messages import NetworkTerms
from cnaps_sim.systems.mail import Letter, Mail, kind
from cnaps_sim.words.calendar import Calendar
from cnaps_sim.words.streams import Streams
from cnaps_sim.words.timetable import Timetable

A = "102100099996"
NINE = 9 * 3_600_000


class Post:
    """A mail of one bank and the centre, and everything that travels."""

    def __init__(self, seed: int = 1, **terms: Any) -> None:
        clock = Clock(Books([{}]), NINE)
        network = Network(clock, Streams(seed), LinkTerms(**terms))
        self.mail = Mail(clock, network, Timetable(dt.date(2025, 6, 17), 1, Calendar(())), self)
        self.mail.on_given_up = lambda letter, attempts: self.given_up.append(attempts)
        self.passages: list[tuple[int, int | None]] = []
        self.given_up: list[int] = []

    def note(self, _letter: Letter, _data: bytes, sent_ms: int, received_ms: int | None, _verdict: str) -> None:
        self.passages.append((sent_ms - NINE, None if received_ms is None else received_ms - NINE))

    def send(self, number: str, iso: str, to_centre: bool, confirmed: bool = True) -> list[tuple[int, int | None]]:
        """Every passage of one message, in the order of its sending; a bank is confirmed at once what arrives."""
        sender, receiver = (A, CENTRE) if to_centre else (CENTRE, A)

        def receive(data: bytes) -> str:
            if to_centre and confirmed:
                self.mail.confirm(A, data[MESSAGE_ID])
            return "accepted"

        self.mail.send(Letter(kind(number, iso), sender, receiver, "2025061700000001", b"<Document/>"), receive)
        self.mail.clock.run()
        return sorted(self.passages, key=lambda passage: passage[0])


ORDER = ("ccms.307.001.01", "camt.008.001.08")
STATUS = ("ccms.900.001.01", "pacs.002.001.10")
RECEIPT = ("ccms.990.001.01", "admi.007.001.01")


@pytest.mark.parametrize(("message", "to_centre"), [(ORDER, True), (STATUS, False), (RECEIPT, False)])
def test_over_a_perfect_link_a_message_goes_once_and_nobody_waits(message: tuple[str, str], to_centre: bool) -> None:
    assert Post().send(*message, to_centre, confirmed=False) == [(0, 0)]


@pytest.mark.parametrize(("latency_ms", "sent"), [(4999, [0]), (5001, [0, 10_000]), (12_000, [0, 10_000, 20_000])])
def test_the_centre_sends_again_until_the_banks_confirmation_is_back(latency_ms: int, sent: list[int]) -> None:
    found = Post(latency_ms=latency_ms).send(*STATUS, to_centre=False)
    assert found == [(sent_ms, sent_ms + latency_ms) for sent_ms in sent]


def test_a_bank_sends_again_until_it_hears_of_the_arrival_and_no_more_often_than_attempts_allow() -> None:
    assert Post(latency_ms=12_000).send(*ORDER, to_centre=True) == [(0, 12_000), (10_000, 22_000)]
    unheard = Post(latency_ms=1, resend_after_ms=100, most_attempts=3)
    assert unheard.send(*ORDER, to_centre=True, confirmed=False) == [(0, 1), (100, 101), (200, 201)]
    assert (unheard.given_up, unheard.mail.given_up) == ([], 0)  # it arrived


def test_a_message_of_which_no_attempt_arrives_is_given_up() -> None:
    dead = Post(loss=1.0, resend_after_ms=100, most_attempts=3)
    assert dead.send(*ORDER, to_centre=True) == [(0, None), (100, None), (200, None)]
    assert (dead.given_up, dead.mail.given_up, dead.mail.lost) == ([3], 1, 3)


def test_a_receipt_is_sent_once_whatever_becomes_of_it() -> None:
    dead = Post(loss=1.0)
    assert dead.send(*RECEIPT, to_centre=False) == [(0, None)]
    assert dead.mail.given_up == 0


def test_a_lossy_link_brings_nearly_everything_through() -> None:
    """Three attempts at a half lost: one message in eight is given up."""
    lossy = Post(loss=0.5, most_attempts=3, resend_after_ms=100)
    for _ in range(400):
        lossy.send(*ORDER, to_centre=True)
    assert 30 < lossy.mail.given_up < 75


def test_links_are_what_a_scenario_without_a_word_of_them_says() -> None:
    silent, usual = NetworkTerms(), LinkTerms()
    assert (silent.resend_after, silent.attempts) == (usual.resend_after_ms, usual.most_attempts)
