"""What NETS tells: a round's nets to SAPS (pacs.029), and each participant its net when it is posted, and its cap.

Each participant hears of its net (camt.088) and of the entry on its account (camt.054) at the instant at which SAPS
posts it, and of every change of its net debit cap (camt.011). Source: message flows "round's nets to SAPS", "net
position notice" and "limits: set, delete".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

import numpy as np

from cnaps_sim.engine.netting_recorder import Round
from cnaps_sim.messages import limits, nets, statements
from cnaps_sim.messages.entries import Entry, StatedAccount
from cnaps_sim.messages.envelope import CENTRE
from cnaps_sim.messages.limits import LimitKey, LimitSetting, NewLimit
from cnaps_sim.messages.nets import PAYS, RECEIVES, NetNotice, NetRecord, RoundNets
from cnaps_sim.messages.parts import CREDIT, DEBIT
from cnaps_sim.messages.statements import BookingNotice
from cnaps_sim.messages.validate import check
from cnaps_sim.systems.centre import Centre
from cnaps_sim.systems.mail import ACCEPTED, Letter, kind
from cnaps_sim.words.business_types import BusinessType
from cnaps_sim.words.retail_days import RetailDay

_NETS: Final = "hvps.631.001.01"
_NOTICE: Final = "saps.601.001.01"
_LIMIT: Final = "nets.353.001.01"


class NetNotices:
    """Writes what NETS and SAPS say about rounds.

    members: bank code by account row; participants: rows of those that are told
    days:    the retail dates of the run
    """

    def __init__(
        self, centre: Centre, members: Sequence[str], participants: frozenset[int], days: Sequence[RetailDay]
    ) -> None:
        self.centre = centre
        self.mail = centre.mail
        self.members = members
        self.participants = participants
        self.days = days

    def _round_id(self, closed: Round) -> str:
        return f"{self.days[closed.date_index].date:%Y%m%d}{closed.number:06d}"

    def tell_saps(self, closed: Round) -> None:
        """pacs.029 of a round that SAPS takes: inside the centre, so it arrives at once."""
        rows = np.flatnonzero(closed.nets).tolist()
        business_id = self.mail.business_id(CENTRE)
        records = [
            NetRecord(
                record_id=self._obligation_id(closed, row),
                participant=self.members[row],
                amount_fen=abs(int(closed.nets[row])),
                direction=CREDIT if closed.nets[row] > 0 else DEBIT,
                sequence=place,
            )
            for place, row in enumerate(rows, 1)
        ]
        total = sum(record.amount_fen for record in records)
        document = nets.build_round_nets(
            RoundNets(
                business_id, self.mail.now, f"NETS{business_id}", self._round_id(closed), tuple(records),
                control_sum_fen=total,
            )
        )  # fmt: skip
        letter = Letter(kind(_NETS, nets.PACS_029), CENTRE, CENTRE, business_id, document)
        data = self.mail.wrap(letter)
        check(data, self.mail.expected())
        now = int(self.mail.clock.now)
        self.mail.log.note(letter, data, now, now, ACCEPTED)

    def _obligation_id(self, closed: Round, row: int) -> str:
        return f"{self._round_id(closed)}-{row + 1:06d}"

    def tell_posted(self, closed: Round, row: int, time_ms: int) -> None:
        """camt.088 and camt.054 to a participant whose net SAPS has posted."""
        if row not in self.participants:
            return
        member, net = self.members[row], int(closed.nets[row])
        closed_at = self.mail.moment(closed.time_ms)
        business_id = self.mail.business_id(CENTRE)
        notice = nets.build_net_notice(
            NetNotice(
                business_id=business_id,
                created=self.mail.now,
                cut_off=_time_of_day(closed_at),
                report_date=self.days[closed.date_index].date,
                value_date=self.mail.working_date,
                participant=member,
                obligation_id=self._obligation_id(closed, row),
                amount_fen=abs(net),
                round_id=self._round_id(closed),
                direction=RECEIVES if net > 0 else PAYS,
                counterparty=CENTRE,
            )
        )
        self._send(_NOTICE, nets.CAMT_088, member, business_id, notice)
        business_id = self.mail.business_id(CENTRE)
        entry = Entry(
            amount_fen=abs(net),
            direction=CREDIT if net > 0 else DEBIT,
            booked=self.mail.moment(time_ms),
            kind=BusinessType.ROUND_NET.code,
            reference=self._obligation_id(closed, row),
        )
        booked = statements.build_booking_notice(
            BookingNotice(
                business_id, self.mail.now, business_id, self.mail.now, StatedAccount(member, "CNY"), (entry,)
            )
        )
        self._send(_NOTICE, statements.CAMT_054, member, business_id, booked)

    def tell_cap(self, row: int, fen: int) -> None:
        """camt.011 to a participant whose net debit cap (净借记限额) becomes `fen`."""
        if row not in self.participants:
            return
        business_id = self.mail.business_id(CENTRE)
        key = LimitKey(limits.NET_DEBIT_CAP, self.members[row])
        document = limits.build_limit_setting(LimitSetting(business_id, self.mail.now, (NewLimit(key, fen),)))
        self._send(_LIMIT, limits.CAMT_011, self.members[row], business_id, document)

    def _send(self, number: str, iso: str, member: str, business_id: str, document: bytes) -> None:
        self.centre.send(Letter(kind(number, iso), CENTRE, member, business_id, document))


def _time_of_day(moment: dt.datetime) -> dt.time:
    return moment.timetz()
