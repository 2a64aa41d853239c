"""Checks that need more than one key: who is named exists, what is planned fits into the run, and sums hold.

Each check raises a fault at the key concerned; the first one found is the one told.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Final

from cnaps_sim.scenario.accounts import Access, AccountRow, GeneratedAccounts
from cnaps_sim.scenario.actions import Ask, AskStatus, Fee, Match, Nets, OnAccount, OnPayment, SetLimit, StopSending
from cnaps_sim.scenario.behaviour_checks import check_behaviours, named_by_behaviours
from cnaps_sim.scenario.faults import fault
from cnaps_sim.scenario.matching import MULTILATERAL
from cnaps_sim.scenario.places import KeyPath
from cnaps_sim.scenario.retail_actions import LinkLoss
from cnaps_sim.scenario.retail_checks import check_parties, check_retail, named_by_retail
from cnaps_sim.scenario.rules import TimetableTerms
from cnaps_sim.scenario.tool_checks import check_tools, named_by_tools
from cnaps_sim.scenario.workload import WorkloadPayments
from cnaps_sim.words.bank_code import BANK_CODE_LENGTH, is_valid
from cnaps_sim.words.calendar import Calendar
from cnaps_sim.words.codes import CentralBankAccount
from cnaps_sim.words.errors import nearest
from cnaps_sim.words.timetable import RETAIL_DATE_SWITCH_MS, Timetable
from cnaps_sim.words.units import MS_PER_DAY, format_clock, format_fen

if TYPE_CHECKING:
    from cnaps_sim.scenario.model import Scenario

#: All balances together, in fen: far enough from the end of int64 for what is added to them in a run.
TOTAL_LIMIT: Final = 4_000_000_000_000_000_000


def check(scenario: Scenario) -> None:
    """Everything that can be known before a file of accounts or payments is opened. Raises the first fault."""
    timetable = _check_timetable(scenario)
    _check_access(scenario)
    _check_accounts(scenario)
    _check_payments(scenario)
    _check_liquidity(scenario)
    _check_moments(scenario, timetable)
    _check_limits(scenario)
    _check_matching(scenario, timetable)
    _check_questions(scenario)
    check_retail(scenario, timetable)
    check_behaviours(scenario, timetable)
    check_tools(scenario, timetable)
    rows = scenario.accounts
    if isinstance(rows, tuple):
        check_named_accounts(scenario, {row.account for row in rows})


def named_accounts(scenario: Scenario) -> Iterator[tuple[KeyPath, str]]:
    """Every account that payments, terms or actions name, with the path of the key that does."""
    for number, entry in enumerate(scenario.workload):
        if isinstance(entry, WorkloadPayments):
            for row, payment in enumerate(entry.payments):
                path = ("workload", number, "payments", row)
                yield (*path, "debtor"), payment.debtor
                yield (*path, "creditor"), payment.creditor
    for number, limit in enumerate(scenario.limits):
        yield ("limits", number, "account"), limit.account
        if limit.to is not None:
            yield ("limits", number, "to"), limit.to
    for number, link in enumerate(scenario.network.links):
        yield ("network", "links", number, "account"), link.account
    for number, action in enumerate(scenario.actions):
        here = ("actions", number)
        if isinstance(action, OnAccount):
            yield (*here, "account"), action.account
            if isinstance(action, SetLimit) and action.to is not None:
                yield (*here, "to"), action.to
        elif isinstance(action, Fee):
            yield from (((*here, "account", i), account) for i, account in enumerate(action.account))
        elif isinstance(action, Nets):
            yield from (((*here, "nets", i, "account"), net.account) for i, net in enumerate(action.nets))
    yield from named_by_retail(scenario)
    yield from named_by_behaviours(scenario)
    yield from named_by_tools(scenario)


def check_named_accounts(scenario: Scenario, known: Collection[str]) -> None:
    """Every account named exists, and so many as are to be drawn. `known`: all accounts of the run."""
    for path, account in named_accounts(scenario):
        if account not in known:
            raise fault("unknown account", nearest(account, known), value=account, path=path)
    check_parties(scenario, len(known))


def _check_timetable(scenario: Scenario) -> Timetable:
    calendar = Calendar(scenario.holidays)
    if not calendar.is_working_day(scenario.date):
        next_one = _next_working_day(calendar, scenario.date)
        raise fault("no working day", f"working days{next_one}", path=("date",))
    if scenario.timetable is not None and (problem := _problem_of_hours(scenario.timetable, scenario.date)):
        raise fault(problem, path=("timetable", *_culprit(scenario.timetable, scenario.date)))
    try:
        return scenario.business_timetable()
    except (ValueError, OverflowError) as error:
        raise fault(str(error), path=("days",)) from None


def _next_working_day(calendar: Calendar, date: dt.date) -> str:
    try:
        return f", of which {calendar.next_working_day(date)} is the next"
    except ValueError:
        return ""


def _problem_of_hours(terms: TimetableTerms, date: dt.date) -> str:
    try:
        terms.hours(date)
    except ValueError as error:
        return str(error)
    return ""


def _culprit(terms: TimetableTerms, date: dt.date) -> tuple[str, ...]:
    """The key without which the hours would make a day, if it is one alone."""
    for key in ("cut_off", "window_end", "opens", "opens_day_before"):
        given = getattr(terms, key) is not None
        if given and not _problem_of_hours(terms.model_copy(update={key: None}), date):
            return (key,)
    return ()


def _check_access(scenario: Scenario) -> None:
    """Only generated entities have branches, and the accounts of branches have no bank codes."""
    if scenario.compare_access:
        _check_compare_access(scenario)
    if scenario.access is not Access.BRANCHES and not scenario.compare_access:
        return
    path = ("access",) if scenario.access is Access.BRANCHES else ("compare_access",)
    if not isinstance(scenario.accounts, GeneratedAccounts):
        allowed = "single" if path == ("access",) else "no"
        raise fault("given accounts have no branches", f"{allowed}, or accounts: {{generate: national}}", path=path)
    if scenario.needs_bank_codes:
        why = scenario.why_bank_codes or ", which bank_codes: strict asks for"
        allowed = "single" if path == ("access",) else "no"
        raise fault(f"the accounts of branches have no bank codes{why}", allowed, path=path)


def _check_compare_access(scenario: Scenario) -> None:
    """The day is played with other accounts, too, so that nothing may name one."""
    named = next((path for path, account in named_accounts(scenario) if account not in set(CentralBankAccount)), None)
    if named is not None:
        raise fault("names an account, and compare_access plays the day with others", "compare_access: no", path=named)


def _check_accounts(scenario: Scenario) -> None:
    if not isinstance(scenario.accounts, tuple):
        return
    if not scenario.accounts:
        raise fault("is empty", "at least one account", path=("accounts",))
    seen: set[str] = set()
    total = 0
    for number, row in enumerate(scenario.accounts):
        _check_row(scenario, number, row, seen)
        total += abs(row.balance)
        if total > TOTAL_LIMIT:
            problem = f"the balances together are over {format_fen(TOTAL_LIMIT)} CNY"
            raise fault(problem, path=("accounts", number, "balance"))


def _check_row(scenario: Scenario, number: int, row: AccountRow, seen: set[str]) -> None:
    path = ("accounts", number, "account")
    if row.account in seen:
        raise fault("given twice", "each account once", value=row.account, path=path)
    seen.add(row.account)
    if scenario.needs_bank_codes:
        check_bank_code(row.account, path, scenario.why_bank_codes)


def check_bank_code(account: str, path: KeyPath, because: str = "") -> None:
    """The account id is a bank code (行号) with the right check digit. `because`: why it has to be one."""
    if not is_valid(account):
        problem = "the check digit is wrong" if len(account) == BANK_CODE_LENGTH else "no bank code"
        problem += because
        raise fault(problem, "12 digits, the last one their check digit", value=account, path=path)


def _check_payments(scenario: Scenario) -> None:
    if not scenario.workload:
        raise fault("is empty", "at least one source of payments", path=("workload",))
    first_of: dict[str, KeyPath] = {}
    for number, entry in enumerate(scenario.workload):
        for row, payment in enumerate(entry.payments if isinstance(entry, WorkloadPayments) else ()):
            path = ("workload", number, "payments", row, "payment_id")
            if payment.payment_id in first_of:
                raise fault("given twice", "each payment_id once", value=payment.payment_id, path=path)
            first_of[payment.payment_id] = path
    if all(isinstance(entry, WorkloadPayments) for entry in scenario.workload):
        for number, action in enumerate(scenario.actions):
            if isinstance(action, OnPayment) and action.payment not in first_of:
                known = nearest(action.payment, first_of)
                raise fault("unknown payment", known, path=("actions", number, "payment"))


def _check_liquidity(scenario: Scenario) -> None:
    if isinstance(scenario.accounts, GeneratedAccounts) and scenario.liquidity.from_ is not None:
        raise fault("generated accounts have no balances", "alpha, share_of_outflow", path=("liquidity", "from"))


def _check_moments(scenario: Scenario, timetable: Timetable) -> None:
    days = timetable.business_days
    special = days[0].special
    first = days[0].preparation_ms if special is None else min(special[0], days[0].preparation_ms)
    last = days[-1].window_end_ms
    if scenario.has_retail:  # its first date begins and its last one ends at the date switch
        first = min(first, RETAIL_DATE_SWITCH_MS - MS_PER_DAY)
        last = max(last, days[-1].midnight_ms + RETAIL_DATE_SWITCH_MS)
    for number, action in enumerate(scenario.actions):
        at = action.at.ms(scenario.date)
        if not first <= at <= last:
            allowed = f"from {format_clock(first)} to {format_clock(last)}"
            raise fault("outside the hours of the run", allowed, path=("actions", number, "at"))
        until = action.until if isinstance(action, StopSending | LinkLoss) else None
        if until is not None and until.ms(scenario.date) <= at:
            raise fault("is not after the moment it begins", path=("actions", number, "until"))


def _check_limits(scenario: Scenario) -> None:
    seen: set[tuple[str, str | None]] = set()
    for number, limit in enumerate(scenario.limits):
        pair = (limit.account, limit.to)
        if pair in seen:
            problem = f"has a limit towards {'that account' if limit.to is not None else 'all others'} already"
            raise fault(problem, "each pair once", path=("limits", number, "account"))
        seen.add(pair)
    matching = scenario.hvps.matching
    limited = bool(scenario.limits) or any(isinstance(action, SetLimit) for action in scenario.actions)
    if limited and matching.is_on and matching.algorithm != MULTILATERAL:
        problem = "does not know limits of accounts"
        raise fault(problem, f"{MULTILATERAL} or none beside limits", path=("hvps", "matching", "algorithm"))


def _check_matching(scenario: Scenario, timetable: Timetable) -> None:
    """Times of day lie within every date of the run, and a matching on command has an algorithm."""
    for place, clock_ms in enumerate(scenario.hvps.matching.at):
        for day in timetable.business_days:
            at_ms = day.midnight_ms + clock_ms
            if not day.opens_ms <= at_ms < day.window_end_ms:
                first, end = max(0, day.opens_ms - day.midnight_ms), day.window_end_ms - day.midnight_ms
                allowed = f"from {format_clock(first)} to before {format_clock(end)}"
                raise fault("outside the hours of a date", allowed, path=("hvps", "matching", "at", place))
    for number, action in enumerate(scenario.actions):
        if isinstance(action, Match) and not scenario.hvps.matching.is_on:
            problem = "there is no matching: hvps.matching.algorithm is none"
            raise fault(problem, "an algorithm, such as multilateral", path=("actions", number, "do"))


def _check_questions(scenario: Scenario) -> None:
    for number, action in enumerate(scenario.actions):
        if isinstance(action, Ask | AskStatus) and scenario.messages == 0:
            problem = "no message travels: messages is off"
            raise fault(problem, "all, or {sample: share}", path=("actions", number, "do"))
