"""What participants ask the centre: their balances, their queue, the business day, a payment.

Answers tell of the present instant and of the asker's own account alone. Source: message flows "balance and basket
query", "queue query and report", "business day".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from cnaps_sim.core.records import LEVELS, NOBODY
from cnaps_sim.messages import balances, queue_reports, statements, status, system_state
from cnaps_sim.messages.balances import AccountBalance, AccountBalances, BalanceReport, UntoldAccount
from cnaps_sim.messages.entries import INTERIM, INTERIM_AVAILABLE, BookBalance, StatedAccount, Totals
from cnaps_sim.messages.envelope import CENTRE
from cnaps_sim.messages.parts import CREDIT, DEBIT, NoAnswer, Query, Reason
from cnaps_sim.messages.queue_reports import QueueContents, QueuedPayment, QueueReport, QueueTotal
from cnaps_sim.messages.statements import IntradayReport
from cnaps_sim.messages.status import PaymentStatus, TransactionStatus
from cnaps_sim.messages.system_state import DayReport, SystemDay
from cnaps_sim.messages.validate import Checked
from cnaps_sim.systems.centre import STATUS_OF, Centre
from cnaps_sim.systems.mail import Letter, kind
from cnaps_sim.words.codes import Act, Answer, Level, Priority

#: Answer codes that have no public list: an account of somebody else, an empty queue.
NOT_YOURS: Final = "AC01"
EMPTY: Final = "NONE"
#: The latest acts of the books on a payment that waits.
_WAITING: Final = (Act.QUEUED, Act.MOVED_TO_HEAD, Act.MOVED_TO_TAIL, Act.LEVEL_CHANGED)
#: Payments in one queue report at most.
LONGEST_REPORT: Final = 100
#: Number of the answer to each balance query: balance query (余额查询), basket query (一揽子查询).
_REPORT_OF: Final = {"saps.366.001.01": "saps.367.001.01", "saps.368.001.01": "saps.369.001.01"}


class Enquiries:
    """Serves camt.003, camt.005, camt.018, camt.060 and pacs.028 at the centre.

    accounts:   account by row
    day:        what camt.019 tells of HVPS now
    payment_id: the id of a waiting payment by its sequence, "" if it is no participant's
    """

    def __init__(
        self,
        centre: Centre,
        accounts: list[str],
        day: Callable[[], SystemDay],
        payment_id: Callable[[int], str],
    ) -> None:
        self.centre = centre
        self.books = centre.books
        self.accounts = accounts
        self.day = day
        self.payment_id = payment_id
        centre.serve(balances.CAMT_003, self._balances)
        centre.serve(queue_reports.CAMT_005, self._queue)
        centre.serve(system_state.CAMT_018, self._day)
        centre.serve(statements.CAMT_060, self._account)
        centre.serve(status.PACS_028, self._status)

    def _reply(self, checked: Checked, number: str, iso: str, business_id: str, document: bytes) -> int:
        letter = Letter(kind(number, iso), CENTRE, checked.instructing, business_id, document)
        self.centre.send(letter)
        return -1

    def _balances(self, checked: Checked) -> int:
        """camt.004: balance, available, queued in and out, expected; for every own account where none is named."""
        query = balances.read_balance_query(checked.root)
        own = checked.instructing
        told: list[AccountBalances | UntoldAccount] = []
        for account in query.accounts or (own,):
            if account == own:
                told.append(AccountBalances(own, self._balances_of(self.centre.row(own)), currency="CNY"))
            else:
                told.append(UntoldAccount(account, NoAnswer(NOT_YOURS, "the account belongs to another participant")))
        business_id = self.centre.mail.business_id(CENTRE)
        report = BalanceReport(
            business_id, self.centre.mail.now, Query(checked.business_id, checked.kind.number), tuple(told)
        )
        document = balances.build_balance_report(report)
        return self._reply(checked, _REPORT_OF[checked.kind.number], balances.CAMT_004, business_id, document)

    def _balances_of(self, row: int) -> tuple[AccountBalance, ...]:
        queued_out, queued_in = self.queued(row)
        book = int(self.books.accounts["balance"][row])
        free = self.books.available(row, Level.NORMAL)
        return (
            _signed(balances.BOOK, book),
            _signed(balances.AVAILABLE, free),
            AccountBalance(balances.QUEUED, queued_out[1], DEBIT, count=queued_out[0]),
            AccountBalance(balances.QUEUED, queued_in[1], CREDIT, count=queued_in[0]),
            _signed(balances.EXPECTED, free + queued_in[1] - queued_out[1]),
            AccountBalance(balances.EARMARKED, int(self.books.accounts["earmark"][row])),
        )

    def queued(self, row: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """Count and fen of what waits to leave an account, and of what waits to reach it."""
        queues, payments = self.books.queues, self.books.payments
        out = (int(queues["waiting_count"][row, :LEVELS].sum()), int(queues["waiting_fen"][row, :LEVELS].sum()))
        waiting = (payments["at_level"] != NOBODY) & (payments["at_level"] < LEVELS) & (payments["creditor"] == row)
        return out, (int(np.count_nonzero(waiting)), int(payments["amount"][waiting].sum()))

    def _queue(self, checked: Checked) -> int:
        """camt.006: what waits in the asker's own queue, head first."""
        query = queue_reports.read_queue_query(checked.root)
        row = self.centre.row(checked.instructing)
        wanted = set(query.transaction_ids)
        found: list[QueuedPayment] = []
        for level in range(LEVELS):
            at, position = int(self.books.queues["head"][row, level]), 1
            while at != NOBODY:
                payment = self._queued_payment(at, level, position)
                if payment is not None and (not wanted or payment.transaction_id in wanted):
                    found.append(payment)
                at, position = int(self.books.payments["next"][at]), position + 1
        business_id = self.centre.mail.business_id(CENTRE)
        contents: QueueContents | NoAnswer = NoAnswer(EMPTY, "nothing waits")
        if found:
            total = QueueTotal(len(found), sum(payment.amount_fen for payment in found))
            contents = QueueContents(tuple(found[:LONGEST_REPORT]), total)
        report = QueueReport(business_id, self.centre.mail.now, Query(checked.business_id), contents)
        document = queue_reports.build_queue_report(report)
        return self._reply(checked, "saps.364.001.01", queue_reports.CAMT_006, business_id, document)

    def _queued_payment(self, at: int, level: int, position: int) -> QueuedPayment | None:
        """One place of a queue; None for a booking of the central bank, which has no message."""
        record = self.books.payments[at]
        payment_id = self.payment_id(int(record["sequence"]))
        creditor = self.accounts[int(record["creditor"])]
        if not payment_id or creditor not in self.centre.register.row_of or not creditor.isdigit():
            return None
        debtor = self.accounts[int(record["debtor"])]
        return QueuedPayment(
            queue=f"{debtor}-{level}",
            position=position,
            transaction_id=payment_id,
            amount_fen=int(record["amount"]),
            settlement_date=self.centre.mail.working_date,
            instructing=debtor,
            instructed=creditor,
            since=self.centre.mail.moment(int(record["submitted_ms"])),
            direction=DEBIT,
            priority=Priority.of(level),
        )

    def _day(self, checked: Checked) -> int:
        """camt.019: the state of the business day."""
        query = system_state.read_day_query(checked.root)
        business_id = self.centre.mail.business_id(CENTRE)
        day = self.day()
        answer: tuple[SystemDay, ...] | NoAnswer = (day,)
        if query.criteria is not None and query.criteria.date != day.date:
            answer = NoAnswer(EMPTY, "nothing is known of that date")
        document = system_state.build_day_report(
            DayReport(business_id, self.centre.mail.now, answer, Query(query.business_id))
        )
        return self._reply(checked, "ccms.801.001.01", system_state.CAMT_019, business_id, document)

    def _account(self, checked: Checked) -> int:
        """camt.052: the asker's account so far today, balances and sums."""
        asked = statements.read_report_request(checked.root)
        row, now = self.centre.row(checked.instructing), self.centre.mail.now
        business_id = self.centre.mail.business_id(CENTRE)
        account = self.books.accounts[row]
        report = IntradayReport(
            business_id=business_id,
            created=now,
            report_id=asked.business_id,
            compiled=now,
            account=StatedAccount(checked.instructing, "CNY"),
            balances=(
                BookBalance.of(INTERIM, int(account["balance"]), now),
                BookBalance.of(INTERIM_AVAILABLE, self.books.available(row, Level.NORMAL), now),
            ),
            totals=Totals(
                int(account["received_count"]), int(account["received"]), int(account["sent_count"]),
                int(account["sent"]),
            ),
        )  # fmt: skip
        document = statements.build_intraday_report(report)
        return self._reply(checked, "saps.360.001.01", statements.CAMT_052, business_id, document)

    def _status(self, checked: Checked) -> int:
        """pacs.002: where the asker's own payment stands; one that nobody has received is refused by camt.025."""
        asked = status.read_status_request(checked.root)
        sequence = self.centre.sequence_of(asked.transaction_id or "")
        act = self.centre.recorder.act_of(sequence) if sequence >= 0 else Act.NONE
        told = STATUS_OF.get(Act.QUEUED if act in _WAITING else act)
        if told is None or asked.original is None or asked.transaction_id is None or asked.uetr is None:
            self.centre.answer(checked, Answer.NOT_WAITING)
            return -1
        business_id = self.centre.mail.business_id(CENTRE)
        code, cnaps = told
        transaction = TransactionStatus(
            original=asked.original,
            transaction_id=asked.transaction_id,
            uetr=asked.uetr,
            status=code,
            reasons=(Reason(cnaps, proprietary=True),),
            settlement_date=self.centre.mail.working_date if act == Act.SETTLED else None,
        )
        document = status.build_payment_status(
            PaymentStatus(business_id, self.centre.mail.now, CENTRE, checked.instructing, (transaction,))
        )
        return self._reply(checked, "ccms.900.001.01", status.PACS_002, business_id, document)


def _signed(kind_: str, fen: int) -> AccountBalance:
    return AccountBalance(kind_, abs(fen), DEBIT if fen < 0 else CREDIT)
