"""Checks of retail terms that need more than one key: generators, caps, clients, nets of third parties, actions.

Each check raises a fault at the key concerned, as in `checks`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cnaps_sim.scenario.accounts import AccountsFile, GeneratedAccounts
from cnaps_sim.scenario.actions import Set
from cnaps_sim.scenario.faults import fault
from cnaps_sim.scenario.places import KeyPath
from cnaps_sim.scenario.retail_actions import CancelThirdParty, LinkLoss, StopPayment, ThirdPartyNet
from cnaps_sim.scenario.workload import (
    RETAIL_SYSTEMS,
    BepsGenerator,
    PaymentRow,
    RetailGenerator,
    WorkloadPayments,
)
from cnaps_sim.words.codes import System
from cnaps_sim.words.errors import nearest
from cnaps_sim.words.timetable import Timetable
from cnaps_sim.words.units import format_clock

if TYPE_CHECKING:
    from cnaps_sim.scenario.model import Scenario


def check_retail(scenario: Scenario, timetable: Timetable) -> None:
    """Everything about BEPS, IBPS and the netting server. Raises the first fault."""
    _check_generators(scenario)
    _check_cap(scenario)
    _check_clients(scenario)
    _check_third_parties(scenario, timetable)
    _check_actions(scenario)


def named_by_retail(scenario: Scenario) -> Iterator[tuple[KeyPath, str]]:
    """Every account that retail terms name, with the path of the key that does."""
    for number, row in enumerate(scenario.nets.third_party):
        yield ("nets", "third_party", number, "from"), row.from_
    for number, client in enumerate(scenario.clients):
        yield ("clients", number, "direct"), client.direct
    for number, action in enumerate(scenario.actions):
        if isinstance(action, ThirdPartyNet | CancelThirdParty):
            yield ("actions", number, "from"), action.from_


def _check_generators(scenario: Scenario) -> None:
    """At most one generator a system, because all items of a date are numbered together."""
    seen: set[System] = set()
    for number, entry in enumerate(scenario.workload):
        if not isinstance(entry, RetailGenerator):
            continue
        here = ("workload", number)
        if entry.system in seen:
            problem = f"a second generator of {entry.system.value}"
            raise fault(problem, "one, with the count and value of both", path=(*here, "generator"))
        seen.add(entry.system)
        limit = scenario.beps.package_limit
        if isinstance(entry, BepsGenerator) and entry.mean_package_size > limit:
            problem = "is more than a package may hold"
            raise fault(problem, f"up to beps.package_limit, {limit}", path=(*here, "mean_package_size"))


def _retail_payments(scenario: Scenario) -> Iterator[tuple[KeyPath, System, PaymentRow]]:
    """Every payment of BEPS and IBPS that is written out, with its path."""
    for number, entry in enumerate(scenario.workload):
        if isinstance(entry, WorkloadPayments) and entry.system in RETAIL_SYSTEMS:
            for row, payment in enumerate(entry.payments):
                yield ("workload", number, "payments", row), entry.system, payment


def _check_cap(scenario: Scenario) -> None:
    if scenario.nets.cap_share is None:
        return
    path = ("nets", "cap")
    if not isinstance(scenario.accounts, GeneratedAccounts):
        raise fault("the accounts bring their own caps", "accounts", path=path)
    if not any(isinstance(entry, RetailGenerator) for entry in scenario.workload):
        raise fault("no payments of BEPS or IBPS are generated", "accounts", path=path)


def _check_clients(scenario: Scenario) -> None:
    direct_of: dict[str, str] = {}
    for number, client in enumerate(scenario.clients):
        if client.name in direct_of:
            raise fault("given twice", "each client once", value=client.name, path=("clients", number, "name"))
        direct_of[client.name] = client.direct
    for path, _, payment in _retail_payments(scenario):
        direct = direct_of.get(payment.on_behalf_of or "")
        if direct is not None and direct != payment.debtor:
            problem = f"is a client of {direct}, not of the debtor"
            raise fault(problem, f"clients of {payment.debtor}", path=(*path, "on_behalf_of"))


def _check_third_parties(scenario: Scenario, timetable: Timetable) -> None:
    for number, row in enumerate(scenario.nets.third_party):
        here = ("nets", "third_party", number)
        for place, clock_ms in enumerate(row.at):
            for day in timetable.business_days:
                at_ms = day.midnight_ms + clock_ms
                if not day.opens_ms <= at_ms < day.cut_off_ms:
                    first, end = max(0, day.opens_ms - day.midnight_ms), day.cut_off_ms - day.midnight_ms
                    allowed = f"from {format_clock(first)} to before {format_clock(end)}"
                    raise fault("outside the hours of a date", allowed, path=(*here, "at", place))


def check_parties(scenario: Scenario, known: int) -> None:
    """No request of a third party is about more accounts than there are. known: the accounts of the run."""
    for number, row in enumerate(scenario.nets.third_party):
        if row.participants >= known:
            allowed = f"up to {known - 1}, the accounts less the sender's"
            path = ("nets", "third_party", number, "participants")
            raise fault("more than there are", allowed, value=str(row.participants), path=path)


def _check_actions(scenario: Scenario) -> None:
    senders = {row.from_ for row in scenario.nets.third_party}
    senders |= {action.from_ for action in scenario.actions if isinstance(action, ThirdPartyNet)}
    netted = {payment.payment_id for _, _, payment in _retail_payments(scenario)}
    all_written = all(isinstance(entry, WorkloadPayments) for entry in scenario.workload)
    for number, action in enumerate(scenario.actions):
        here = ("actions", number)
        on_cap_line = isinstance(action, Set) and action.field == "cap_warning_line"
        if (on_cap_line or isinstance(action, LinkLoss | StopPayment)) and not _has_netting(scenario):
            problem = "there is nothing to net: no payment of BEPS or IBPS, and no cap"
            raise fault(problem, "payments of BEPS or IBPS", path=(*here, "field" if on_cap_line else "do"))
        if isinstance(action, StopPayment) and all_written and action.payment not in netted:
            allowed = nearest(action.payment, netted) or "payments of BEPS or IBPS"
            raise fault("is no payment of BEPS or IBPS", allowed, path=(*here, "payment"))
        if isinstance(action, CancelThirdParty) and action.from_ not in senders:
            allowed = nearest(action.from_, senders) or "a participant that sends nets of others"
            raise fault("sends no nets of others", allowed, path=(*here, "from"))


def _has_netting(scenario: Scenario) -> bool:
    """Whether the netting server can have anything to do, as far as is known before files are read."""
    accounts = scenario.accounts
    if scenario.has_retail or isinstance(accounts, AccountsFile):
        return True
    return isinstance(accounts, tuple) and any(row.earmark or row.pledged or row.credit_line for row in accounts)
