"""Costs: what liquidity, delay and failure cost the banks, so that their behaviours can be compared.

Source: the cost terms of Bech and Garratt (2003) and Galbiati and Soramäki (2011). The rates have no public source.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd

from cnaps_sim.analysis.metrics.columns import IntArray, Run, Where, remembered
from cnaps_sim.analysis.metrics.delay import waits
from cnaps_sim.analysis.metrics.liquidity import account_numbers, accounts_of
from cnaps_sim.analysis.metrics.payments import REJECTED, RETURNED, payments_of
from cnaps_sim.analysis.metrics.sources import transfers_of
from cnaps_sim.analysis.metrics.tidy import ACCOUNT_GROUPS, By, Groups, Measure, exact_weighted, group, tidy, total
from cnaps_sim.analysis.metrics.tool_use import interest_paid
from cnaps_sim.participants.behaviours.costs import (
    DELAY_RATE,
    FAILURE_RATE,
    LIQUIDITY_RATE,
    delay_cost,
    failure_cost,
    liquidity_cost,
    penalty_cost,
)
from cnaps_sim.scenario.rules import PENALTY_RATE_PER_DAY
from cnaps_sim.words.errors import InputError

Rate = str | int | float | Decimal | Fraction


def costs(
    run: Run,
    *,
    by: By = "account",
    where: Where = None,
    liquidity_rate: Rate = LIQUIDITY_RATE,
    delay_rate: Rate = DELAY_RATE,
    failure_rate: Rate = FAILURE_RATE,
) -> pd.DataFrame:
    """Costs (成本) of the participants in fen; `by` is account, date, kind or owner, `where` is of the accounts table.

    Each is computed per account and date, rounded half up to the fen, and added up:
    `liquidity_cost`: max(0, opening - lowest balance) × `liquidity_rate` / 360, a day of own money used at most;
    `delay_cost`: sum over the account's accepted payments of amount × (end of waiting - instruction) × `delay_rate` /
    (360 × 86 400 000 ms), in its outbox and in the queue (see `delay`);
    `failure_cost`: value sent back when the clearing window closed, or refused after it had been accepted or held past
    cut-off, × `failure_rate`;
    `overdraft_interest`: intraday overdraft interest charged; `penalty_interest`: what penalty loans of the date bear
    a day, at the scenario's `hvps.penalty_rate`; `pledge_interest`, `loan_interest`: paid on pledge loans, and on loans
    among participants; `cost`: the sum of the seven.
    """
    run = remembered(run)
    accounts = accounts_of(run, where)
    groups = group(accounts, by, ACCOUNT_GROUPS)
    waited, failed = _waited_and_failed(run)
    rows = np.arange(accounts.count) if accounts.rows is None else accounts.rows
    own = accounts.participant
    told = {"liquidity_rate": liquidity_rate, "delay_rate": delay_rate, "failure_rate": failure_rate}
    rates = [*(_rate(name, rate) for name, rate in told.items()), _penalty_rate(run)]
    liquidity, delayed, failures, penalties = (np.zeros(accounts.count, np.int64) for _ in range(4))
    lent = accounts.numbers("penalty_loan_fen")
    for place in np.flatnonzero(own).tolist():
        liquidity[place] = liquidity_cost(int(accounts.used[place]), rates[0])
        delayed[place] = delay_cost(waited[rows[place]], rates[1])
        failures[place] = failure_cost(failed[rows[place]], rates[2])
        penalties[place] = penalty_cost(int(lent[place]), rates[3])
    interest = np.where(own, accounts.numbers("overdraft_interest_fen"), 0)
    pledged, borrowed = (np.where(own, paid, 0) for paid in interest_paid(accounts, transfers_of(run)))
    parts = {
        "liquidity_cost": liquidity,
        "delay_cost": delayed,
        "failure_cost": failures,
        "overdraft_interest": interest,
        "penalty_interest": penalties,
        "pledge_interest": pledged,
        "loan_interest": borrowed,
    }
    measures = [Measure(name, "fen", total(groups, values)) for name, values in parts.items()]
    everything = sum(parts.values(), np.zeros(accounts.count, np.int64))
    frame = tidy(groups, [*measures, Measure("cost", "fen", total(groups, everything))])
    kept = np.bincount(groups.group[own], minlength=groups.size) > 0
    return frame[np.repeat(kept, len(measures) + 1)].reset_index(drop=True)


def _rate(name: str, rate: Rate) -> Decimal:
    """A rate from whatever tells one; a float as it prints. InputError for what is no number of 0 or more."""
    try:
        found = Decimal(rate.numerator) / rate.denominator if isinstance(rate, Fraction) else Decimal(str(rate))
    except ArithmeticError:
        found = Decimal("nan")
    if not found.is_finite() or found < 0:
        raise InputError(name, "", "is no rate", rate, "numbers from 0, such as 0.02")
    return found


def _penalty_rate(run: Run) -> Decimal:
    scenario = getattr(run, "scenario", None) or {}
    return Decimal(str(scenario.get("hvps", {}).get("penalty_rate", PENALTY_RATE_PER_DAY)))


def _waited_and_failed(run: Run) -> tuple[list[int], list[int]]:
    """Per row of the accounts table: sum of amount × time waited, fen·ms, and value that failed, fen."""
    accounts, payments = accounts_of(run), payments_of(run)
    dates, names = accounts.numbers("date").tolist(), accounts.codes("account").codes.tolist()
    row_of = {key: row for row, key in enumerate(zip(dates, names, strict=True))}
    debtor, date = account_numbers(payments, "debtor", accounts), payments.numbers("date")
    many = len(accounts.codes("account").labels) + 1
    pairs, place = np.unique(date * many + debtor, return_inverse=True)
    at = np.array([row_of.get(divmod(pair, many), -1) for pair in pairs.tolist()], np.intp)[place]
    mine = (at >= 0) & payments.own
    wait = waits(run, payments)
    times: IntArray = wait.outbox + wait.queue
    cells = Groups([], np.where(mine, at, 0), [()] * accounts.count)
    waited = exact_weighted(cells, payments.amount, times, mine & wait.counted)
    kept_back = (payments.outcome == REJECTED) & (payments.accepted | payments.held)
    failed = (payments.outcome == RETURNED) | kept_back
    return waited, total(cells, payments.amount, mine & failed).tolist()
