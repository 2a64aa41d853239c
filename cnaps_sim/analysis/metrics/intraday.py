"""Monitoring tools for intraday liquidity management (日间流动性监测工具) of BCBS 248 that are reported per bank.

| tool | metric |
|---|---|
| A(i) daily maximum intraday liquidity usage | `intraday_usage`; the instants of the peaks are in `monitoring` |
| A(ii) available intraday liquidity at the start of the business day | `start_liquidity` |
| A(iii) total payments | `total_payments` |
| A(iv) time-specific obligations | `due` |
| B(i) value of payments made on behalf of correspondent banking customers | `customer_payments` |
| B(ii) intraday credit lines extended to customers | `customer_credit` |
| C(i) intraday throughput | `intraday_throughput` |

Source of all: Basel Committee on Banking Supervision, Monitoring tools for intraday liquidity management (2013).
`where` narrows the accounts, but in `customer_payments` and `intraday_throughput` the payments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from cnaps_sim.analysis.metrics.columns import Columns, IntArray, Run, Where, as_date, has_table
from cnaps_sim.analysis.metrics.liquidity import Accounts, account_numbers, accounts_of
from cnaps_sim.analysis.metrics.payments import Payments, payments_of, timetable_of
from cnaps_sim.analysis.metrics.throughput import throughput
from cnaps_sim.analysis.metrics.tidy import ACCOUNT_GROUPS, By, Groups, Measure, group, number, ratios, tidy, total
from cnaps_sim.optimise.bounds import net_paths
from cnaps_sim.words.codes import TransferKind
from cnaps_sim.words.units import parse_fen

#: So many of the largest days are reported, and of the customers the sum of the largest.
LARGEST_DAYS: Final = 3
LARGEST_CUSTOMERS: Final = 5


class _Day(NamedTuple):
    """Per row of the accounts table, fen: peaks of the net of settled payments, and their gross sums."""

    usage: IntArray
    positive: IntArray
    sent: IntArray
    received: IntArray


def intraday_usage(run: Run, *, by: By = "account", where: Where = None) -> pd.DataFrame:
    """Daily maximum intraday liquidity usage, tool A(i); `by` is account, date, kind or owner.

    With net(t) = received - sent by the end of instant t, from settled payments of the business date:
    usage = max(0, -min net), the largest net debit; positive = max(0, max net). Of a group the daily values of its
    accounts are added, without netting among them. `usage_1`, `usage_2`, `usage_3`: the three largest days (null if
    there are fewer days), `usage_mean`: mean over the days; the same with `positive`. Unit: fen, means rounded to
    the even whole fen.
    """
    accounts = _participants(run, where)
    groups = group(accounts, by, ACCOUNT_GROUPS)
    day = _days(run, accounts)
    return tidy(groups, [*_largest(groups, accounts, "usage", day.usage),
                         *_largest(groups, accounts, "positive", day.positive)])  # fmt: skip


def total_payments(run: Run, *, by: By = "account", where: Where = None) -> pd.DataFrame:
    """Total payments, tool A(iii): gross settled payments of a day; `by` is account, date, kind or owner.

    `sent_1` … `sent_3`: the three days with most, `sent_mean`: mean over the days; the same with `received`. Unit: fen,
    means rounded to the even whole fen.
    """
    accounts = _participants(run, where)
    groups = group(accounts, by, ACCOUNT_GROUPS)
    day = _days(run, accounts)
    return tidy(groups, [*_largest(groups, accounts, "sent", day.sent),
                         *_largest(groups, accounts, "received", day.received)])  # fmt: skip


def start_liquidity(run: Run, *, by: By = "account", where: Where = None) -> pd.DataFrame:
    """Available intraday liquidity at the start of the business day (日初可用流动性), tool A(ii), by its sources.

    `balance`: opening balance; `blocked`: earmark (圈存) plus floor (余额控制下限), out of reach of ordinary payments;
    `overdraft_limit` (日间透支限额); `pledge_room`: what bonds pledged when the run began are good for (质押融资);
    `available` = balance - blocked + overdraft_limit + pledge_room. Terms as they stand when the date opens. Several
    dates: the smallest `available` of a day of the group is `available_min`, `available_mean` is the mean, and the
    other measures are those of the first date. Unit: fen, the mean rounded to the even whole fen. `by` is account,
    date, kind or owner.
    """
    accounts = _participants(run, where)
    groups = group(accounts, by, ACCOUNT_GROUPS)
    terms = _terms(run, accounts)
    balance = accounts.numbers("opening_fen")
    available = balance - terms["blocked"] + terms["overdraft_limit"] + terms["pledge_room"]
    date = accounts.numbers("date")
    first = np.full(groups.size, 2**62, np.int64)
    np.minimum.at(first, groups.group, date)
    begins = date == first[groups.group]
    parts = {"balance": balance, **terms, "available": available}
    days = _per_day(groups, accounts, available)
    return tidy(
        groups,
        [
            *(Measure(name, "fen", total(groups, fen, begins)) for name, fen in parts.items()),
            Measure("available_min", "fen", [min(values) for values in days]),
            Measure("available_mean", "fen", [_mean(values) for values in days]),
        ],
    )


def customer_payments(run: Run, *, by: By = "account", where: Where = None) -> pd.DataFrame:
    """Payments settled on behalf of correspondent customers (代理业务, `on_behalf_of`), tool B(i).

    `by` groups payments; account is the bank that paid. `customer_value` (fen), `customer_count` (payments),
    `customers`: how many; `largest_customers` (fen): value of the five largest; `customer_share`: customer_value / all
    value settled of the bank (ratio, null if it settled nothing). See `tiering` for how it is spread.
    """
    payments = payments_of(run, where, by)
    groups = group(payments, by)
    customer = payments.codes("on_behalf_of")
    settled = payments.settled & payments.own
    theirs = settled & (customer.codes >= 0)
    sums: list[dict[int, int]] = [{} for _ in groups.labels]
    for row in np.flatnonzero(theirs).tolist():
        of_group, code = sums[groups.group[row]], int(customer.codes[row])
        of_group[code] = of_group.get(code, 0) + int(payments.amount[row])
    value, whole = total(groups, payments.amount, theirs), total(groups, payments.amount, settled)
    largest = [sum(sorted(of_group.values(), reverse=True)[:LARGEST_CUSTOMERS]) for of_group in sums]
    return tidy(
        groups,
        [
            Measure("customer_value", "fen", value),
            Measure("customer_count", "payments", number(groups, theirs)),
            Measure("customers", "participants", [len(of_group) for of_group in sums]),
            Measure("largest_customers", "fen", largest),
            Measure("customer_share", "ratio", ratios(value.tolist(), whole.tolist())),
        ],
    )


def customer_credit(run: Run, *, by: By = "account", where: Where = None) -> pd.DataFrame:
    """Intraday credit lines extended to customers (对客户的日间授信), tool B(ii); `by` is account, date, kind or owner.

    Lines are the agreements on automatic interbank loans (自动拆借, `credit.agreements` of the scenario) of the lender,
    on the dates on which they hold. `customers`: borrowers with a line, `credit_lines` (fen): sum of their upper
    limits, `largest_line` (fen), `credit_used` (fen): lent to these borrowers. Several dates: most of a day of the
    group, of each measure. Net debit caps and overdrafts are credit of the central bank and no part of this.
    """
    accounts = _participants(run, where)
    groups = group(accounts, by, ACCOUNT_GROUPS)
    lines, used = _agreements(run), _lent(run)
    date, name = accounts.codes("date"), accounts.codes("account")
    found = np.zeros((4, accounts.count), np.int64)
    for row in range(accounts.count):
        day, lender = as_date(date.labels[date.codes[row]]), str(name.labels[name.codes[row]])
        held = [line for line in lines if line.lender == lender and line.holds_on(day)]
        upper = [line.upper for line in held]
        borrowers = {line.borrower for line in held}
        lent = sum(used.get((day.isoformat(), lender, borrower), 0) for borrower in borrowers)
        found[:, row] = len(borrowers), sum(upper), max(upper, default=0), lent
    return tidy(
        groups,
        [
            Measure("customers", "participants", _most(groups, accounts, found[0])),
            Measure("credit_lines", "fen", _most(groups, accounts, found[1])),
            Measure("largest_line", "fen", [int(found[2][groups.group == g].max()) for g in range(groups.size)]),
            Measure("credit_used", "fen", _most(groups, accounts, found[3])),
        ],
    )


def intraday_throughput(run: Run, *, by: By = "account", where: Where = None) -> pd.DataFrame:
    """Intraday throughput (日间业务处理进度), tool C(i): share of a bank's outgoing settled value settled by each hour.

    throughput(h) = value settled up to and including hour end h / value settled in the day. One row per group and
    hour; `time_ms` as in `throughput`; unit: ratio, null if the group settled nothing.
    """
    frame = throughput(run, by=by, where=where)
    frame = frame[frame["measure"] == "settled_share"].reset_index(drop=True)
    frame["measure"] = "throughput"
    return frame


def _participants(run: Run, where: Where) -> Accounts:
    """Rows of the accounts table that belong to participants."""
    accounts = accounts_of(run, where)
    if accounts.participant.all():
        return accounts
    rows = np.flatnonzero(accounts.participant)
    rows = rows if accounts.rows is None else accounts.rows[rows]
    return Accounts("accounts", accounts.table, rows, accounts.whole)


def _days(run: Run, accounts: Accounts) -> _Day:
    """Peaks and sums of every row of the accounts table."""
    payments = payments_of(run)
    rows = np.flatnonzero(payments.settled)
    rows = rows[np.argsort(payments.final[rows], kind="stable")]
    debtor, creditor = (account_numbers(payments, side, accounts) for side in ("debtor", "creditor"))
    date, day_of_row = payments.numbers("date"), accounts.numbers("date")
    found = np.zeros((4, accounts.count), np.int64)
    names = accounts.codes("account")
    for day in np.unique(day_of_row).tolist():
        chosen = rows[date[rows] == day]
        paths = _figures(payments, debtor, creditor, chosen, len(names.labels))
        for row in np.flatnonzero(day_of_row == day).tolist():
            found[:, row] = paths.get(int(names.codes[row]), (0, 0, 0, 0))
    return _Day(*found)


def _figures(
    payments: Payments, debtor: Any, creditor: Any, rows: Any, accounts: int
) -> dict[int, tuple[int, int, int, int]]:
    """Usage, positive peak, sent and received by account number."""
    if not len(rows):
        return {}
    paths = net_paths(accounts, debtor[rows], creditor[rows], payments.amount[rows])
    ends = np.append(paths.start[1:], len(paths.posting))
    found = {}
    for account, start, end in zip(paths.account.tolist(), paths.start.tolist(), ends.tolist(), strict=True):
        owed, time = paths.net_debit[start:end], payments.final[rows[paths.posting[start:end]]]
        step = np.diff(owed, prepend=0)
        over = owed[np.append(np.diff(time) != 0, True)]
        found[account] = (max(0, int(over.max())), max(0, -int(over.min())), int(step[step > 0].sum()),
                          -int(step[step < 0].sum()))  # fmt: skip
    return found


def _per_day(groups: Groups, accounts: Columns, values: IntArray) -> list[list[int]]:
    """Of each group the sum of every date that it has."""
    date = accounts.numbers("date")
    days = np.unique(date)
    cell = groups.group * len(days) + np.searchsorted(days, date)
    sums = np.zeros(groups.size * len(days), np.int64)
    np.add.at(sums, cell, values)
    there = np.bincount(cell, minlength=groups.size * len(days)) > 0
    pairs = zip(sums.reshape(groups.size, -1), there.reshape(groups.size, -1), strict=True)
    return [row[seen].tolist() or [0] for row, seen in pairs]


def _largest(groups: Groups, accounts: Columns, name: str, values: IntArray) -> list[Measure]:
    days = _per_day(groups, accounts, values)
    ranked = [sorted(of_group, reverse=True) for of_group in days]
    return [
        *(
            Measure(f"{name}_{place + 1}", "fen", [row[place] if place < len(row) else None for row in ranked])
            for place in range(LARGEST_DAYS)
        ),
        Measure(f"{name}_mean", "fen", [_mean(of_group) for of_group in days]),
    ]


def _most(groups: Groups, accounts: Columns, values: IntArray) -> list[int]:
    return [max(of_group) for of_group in _per_day(groups, accounts, values)]


def _mean(values: Sequence[int]) -> int:
    """The mean in whole fen, halves to the even one; exact for any amount."""
    whole, rest = divmod(sum(values), len(values))
    return whole + (2 * rest > len(values) or (2 * rest == len(values) and whole % 2 == 1))


def _terms(run: Run, accounts: Accounts) -> dict[str, IntArray]:
    """What was blocked and what credit there was when each date opened, per row of the accounts table, fen."""
    # The query reads columns as the metrics do: at the top of the file each module would wait for the other.
    from cnaps_sim.analysis.liquidity.tables import Ledger
    from cnaps_sim.analysis.liquidity.terms import terms_at

    ledger = Ledger(run)
    date, name = accounts.codes("date"), accounts.codes("account")
    found = {key: np.zeros(accounts.count, np.int64) for key in ("blocked", "overdraft_limit", "pledge_room")}
    room = run.manifest.get("granted", {}).get("pledge_room_fen", {})
    opens = {as_date(day["date"]): int(day["opens_ms"]) for day in timetable_of(run)}
    for code, label in enumerate(date.labels):
        terms = terms_at(ledger, opens[label])
        for row in np.flatnonzero(date.codes == code).tolist():
            account = name.labels[name.codes[row]]
            place = ledger.row[account]
            money = {key: int(terms.value[key][place]) for key in ("earmark", "floor", "overdraft_limit")}
            found["blocked"][row] = money["earmark"] + money["floor"]
            found["overdraft_limit"][row] = money["overdraft_limit"]
            found["pledge_room"][row] = int(room.get(account, 0))
    return found


class _Line(NamedTuple):
    """An agreement on automatic loans; upper in fen, dates as ISO text or None for the run's."""

    lender: str
    borrower: str
    upper: int
    begin: str | None
    until: str | None

    def holds_on(self, day: Any) -> bool:
        text = day.isoformat()
        return (self.begin is None or self.begin <= text) and (self.until is None or text <= self.until)


def _agreements(run: Any) -> list[_Line]:
    credit = (getattr(run, "scenario", None) or {}).get("credit") or {}
    rows: Sequence[Mapping[str, Any]] = credit.get("agreements") or ()
    return [
        _Line(str(row["lender"]), str(row["borrower"]), parse_fen(str(row["upper"])),
              _text(row.get("from")), _text(row.get("until")))
        for row in rows
    ]  # fmt: skip


def _text(date: object) -> str | None:
    return None if date is None else str(date)


def _lent(run: Run) -> dict[tuple[str, str, str], int]:
    """Value lent by date, lender and borrower, fen."""
    if not has_table(run, "transfers"):
        return {}
    transfers = Columns("transfers", run.table("transfers"))
    kind, date = transfers.codes("kind"), transfers.codes("date")
    debtor, creditor = transfers.codes("debtor"), transfers.codes("creditor")
    if TransferKind.LOAN not in kind.labels:
        return {}
    lent: dict[tuple[str, str, str], int] = {}
    for row in np.flatnonzero(kind.codes == kind.labels.index(TransferKind.LOAN)).tolist():
        key = (date.labels[date.codes[row]].isoformat(), debtor.labels[debtor.codes[row]],
               creditor.labels[creditor.codes[row]])  # fmt: skip
        lent[key] = lent.get(key, 0) + int(transfers.numbers("amount_fen")[row])
    return lent
