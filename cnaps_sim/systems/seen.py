"""Seen: which messages have come on the dates that are open, so that none is carried out twice (防重).

A message of an earlier date is refused by its date, so what was seen on it is forgotten with it. The dates of HVPS
and of BEPS and IBPS change at different instants.
"""

from __future__ import annotations

import datetime as dt

from cnaps_sim.messages.validate import Checked
from cnaps_sim.systems.mail import RETAIL_SYSTEMS, Mail
from cnaps_sim.systems.memory import Digests, digest_of
from cnaps_sim.words.codes import System


class Seen:
    """Digests of what has come, two numbers each: of its bytes, and the sequence of the payment it is about."""

    def __init__(self, mail: Mail) -> None:
        self._mail = mail
        self._digests = {False: Digests(numbers=2), True: Digests(numbers=2)}
        self._dates: dict[bool, dt.date] = {}

    def on_date_of(self, system: System) -> Digests:
        """What has come by replay key on the date that a system's messages bear now."""
        is_retail = system in RETAIL_SYSTEMS and self._mail.has_retail
        date = self._mail.retail_date if is_retail else self._mail.working_date
        if self._dates.get(is_retail) != date:
            self._dates[is_retail] = date
            self._digests[is_retail] = Digests(numbers=2)
        return self._digests[is_retail]


def replay_key(checked: Checked) -> int:
    """Instructing participant, business id and message type, as a digest."""
    text = f"{checked.instructing}|{checked.business_id}|{checked.kind.number}|{checked.kind.iso}"
    return digest_of(text.encode())
