"""What the centre tells every participant unasked: the state of the business day, and its statement at the end.

Source: message flows "business day" and "statement".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from cnaps_sim.core.records import Records
from cnaps_sim.messages import statements, system_state
from cnaps_sim.messages.entries import CLOSING, CLOSING_AVAILABLE, OPENING, BookBalance, StatedAccount, Totals
from cnaps_sim.messages.envelope import CENTRE
from cnaps_sim.messages.statements import Period, Statement
from cnaps_sim.messages.system_state import PHASE_CHANGE, DayReport, PhaseTime, SystemDay, SystemEvent
from cnaps_sim.systems.centre import Centre
from cnaps_sim.systems.mail import Letter, kind
from cnaps_sim.words.codes import Level, Phase, System
from cnaps_sim.words.timetable import BusinessDay

_BROADCAST: Final = "ccms.801.001.01"
_STATEMENT: Final = "saps.603.001.01"


class Notices:
    """Broadcasts and statements.

    members: bank codes of all participants, in the order of their accounts; rows: their account rows
    days:    the business dates of the run
    """

    def __init__(
        self, centre: Centre, members: Sequence[str], rows: Sequence[int], days: Sequence[BusinessDay]
    ) -> None:
        self.centre = centre
        self.mail = centre.mail
        self.members = members
        self.rows = rows
        self._days = days
        self._phase = Phase.PREPARATION
        self._opening: Any = centre.books.accounts["balance"].copy()

    def day(self) -> SystemDay:
        """HVPS now: its date, its phase and the phases of the day by the timetable."""
        date = self.mail.working_date
        day = next(known for known in self._days if known.date == date)
        times = (
            (Phase.DAYTIME, day.opens_ms),
            (Phase.CUT_OFF, day.cut_off_ms),
            (Phase.END_OF_DAY, day.window_end_ms),
        )
        moments = tuple([PhaseTime(phase, self.mail.moment(at_ms)) for phase, at_ms in times])
        return SystemDay(System.HVPS, date, self._phase, moments, "CNY")

    def tell_phase(self, phase: Phase, special_session: bool) -> None:
        """admi.004 to everybody (系统状态变更通知); at the opening also camt.019 with the times of the day."""
        self._phase = phase
        session = ", special session" if special_session else ""
        event = SystemEvent(
            PHASE_CHANGE,
            self.mail.now,
            (System.HVPS.value, self.mail.working_date.isoformat(), f"{phase.value:02d}"),
            f"{phase.name.lower().replace('_', ' ')}{session}",
        )
        document = system_state.build_system_event(event)
        broadcast = kind(_BROADCAST, system_state.ADMI_004)
        for member in self.members:
            self._send(broadcast, member, self.mail.business_id(CENTRE), document)
        if phase == Phase.DAYTIME and not special_session:
            self._tell_day()

    def _tell_day(self) -> None:
        day = self.day()
        told = kind(_BROADCAST, system_state.CAMT_019)
        for member in self.members:
            business_id = self.mail.business_id(CENTRE)
            document = system_state.build_day_report(DayReport(business_id, self.mail.now, (day,)))
            self._send(told, member, business_id, document)

    def start_day(self) -> None:
        """A business date begins: statements will tell from these balances on."""
        self._opening = self.centre.books.accounts["balance"].copy()

    def tell_statements(self, day: BusinessDay) -> None:
        """camt.053 to everybody: opening and closing balance, counts and sums of the date (日终对账单)."""
        accounts = self.centre.books.accounts
        statement = kind(_STATEMENT, statements.CAMT_053)
        for member, row in zip(self.members, self.rows, strict=True):
            business_id = self.mail.business_id(CENTRE)
            document = statements.build_statement(self._statement(business_id, member, row, accounts[row], day))
            self._send(statement, member, business_id, document)

    def _statement(self, business_id: str, member: str, row: int, account: Records, day: BusinessDay) -> Statement:
        now = self.mail.now
        return Statement(
            business_id=business_id,
            created=now,
            report_id=f"{day.date:%Y%m%d}-{member}",
            compiled=now,
            account=StatedAccount(member, "CNY"),
            balances=(
                BookBalance.of(OPENING, int(self._opening[row]), day.date),
                BookBalance.of(CLOSING, int(account["balance"]), day.date),
                BookBalance.of(CLOSING_AVAILABLE, self.centre.books.available(row, Level.NORMAL), day.date),
            ),
            period=Period(self.mail.moment(day.opens_ms), now),
            totals=Totals(
                int(account["received_count"]), int(account["received"]), int(account["sent_count"]),
                int(account["sent"]),
            ),
        )  # fmt: skip

    def _send(self, what: Any, member: str, business_id: str, document: bytes) -> None:
        self.centre.send(Letter(what, CENTRE, member, business_id, document))
