"""The network between participants' front ends and the national centre (国家处理中心).

A link carries bytes with a latency that is drawn anew for every passage, may lose them and may deliver them twice. When
the sending side sends the same bytes again, and when it gives up, stands in `systems.mail`.

Every link draws from a random stream of its own, so that a change on one does not disturb the others.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from cnaps_sim.engine.clock import Clock, Rank
from cnaps_sim.words.network import MOST_ATTEMPTS, RESEND_AFTER_MS
from cnaps_sim.words.streams import Streams

#: Told the bytes at the instant of their delivery.
Deliver = Callable[[bytes], None]


@dataclass(frozen=True)
class LinkTerms:
    """What one link does to what it carries; the defaults are a perfect link.

    latency_ms:      median one-way latency
    latency_sigma:   spread of the lognormal latency, 0 for a constant one
    loss:            share of passages that never arrive
    duplicates:      share of passages that arrive twice
    resend_after_ms: silence after which the sender sends again
    most_attempts:   how often it sends the same bytes at most
    """

    latency_ms: int = 0
    latency_sigma: float = 0.0
    loss: float = 0.0
    duplicates: float = 0.0
    resend_after_ms: int = RESEND_AFTER_MS
    most_attempts: int = MOST_ATTEMPTS

    @property
    def is_perfect(self) -> bool:
        """Whether everything arrives once, at once."""
        return self.latency_ms == 0 and self.loss == 0 and self.duplicates == 0


@dataclass
class Link:
    """The way between one participant and the centre, with its own random stream."""

    terms: LinkTerms
    stream: np.random.Generator

    def latency_ms(self) -> int:
        """The latency of one passage, whole ms: lognormal around the median."""
        if self.terms.latency_sigma == 0 or self.terms.latency_ms == 0:
            return self.terms.latency_ms
        return round(self.stream.lognormal(math.log(self.terms.latency_ms), self.terms.latency_sigma))

    def passage(self, sent_ms: int) -> tuple[int, ...]:
        """When bytes that set out now arrive: once, twice or never."""
        if self.terms.is_perfect:
            return (sent_ms,)
        if self.terms.loss > 0 and self.stream.random() < self.terms.loss:
            return ()
        first = sent_ms + self.latency_ms()
        if self.terms.duplicates > 0 and self.stream.random() < self.terms.duplicates:
            return first, sent_ms + self.latency_ms()
        return (first,)


@dataclass
class Network:
    """All links; what arrives in one millisecond is delivered together, in the order of `order`.

    terms: what every link does; of_account: links that differ, by account
    after_batch: called when everything that arrives at one instant has been delivered
    """

    clock: Clock
    streams: Streams
    terms: LinkTerms = LinkTerms()
    of_account: dict[str, LinkTerms] = field(default_factory=dict)
    after_batch: list[Callable[[], None]] = field(default_factory=list)
    _links: dict[tuple[str, bool], Link] = field(default_factory=dict)
    _due: dict[int, list[tuple[int, int, Deliver, bytes]]] = field(default_factory=dict)
    _count: int = 0

    @property
    def is_perfect(self) -> bool:
        """Whether every link is: nothing is lost or late, so nothing is ever sent again."""
        return self.terms.is_perfect and all(terms.is_perfect for terms in self.of_account.values())

    def link(self, account: str, to_centre: bool) -> Link:
        """The link of a participant in one direction."""
        key = (account, to_centre)
        link = self._links.get(key)
        if link is None:
            name = f"network.{account}.{'up' if to_centre else 'down'}"
            link = Link(self.of_account.get(account, self.terms), self.streams[name])
            self._links[key] = link
        return link

    def deliver_at(self, time_ms: int, data: bytes, deliver: Deliver, order: int = 0) -> None:
        """Have bytes delivered at an instant that is known."""
        self._count += 1
        due = self._due.get(time_ms)
        if due is None:
            due = self._due[time_ms] = []
            self.clock.call_at(time_ms, Rank.ARRIVAL, lambda: self._deliver(time_ms))
        due.append((order, self._count, deliver, data))

    def _deliver(self, time_ms: int) -> None:
        """Deliver what arrives now; answers that arrive at once are delivered afterwards, at the same instant."""
        for _, _, deliver, data in sorted(self._due.pop(time_ms), key=lambda item: item[:2]):
            deliver(data)
        for act in self.after_batch:
            act()
