"""What the centre asks of a message of BEPS or IBPS beyond its form: one type, two participants, limits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cnaps_sim.messages import credits, debits
from cnaps_sim.messages.credits import BankTransfer, CustomerTransfer
from cnaps_sim.messages.debits import CustomerCollection
from cnaps_sim.messages.faults import Code
from cnaps_sim.messages.validate import Checked
from cnaps_sim.messages.xmlread import Element
from cnaps_sim.systems.retail_register import Transaction
from cnaps_sim.words.codes import Refusal, System
from cnaps_sim.words.retail import RetailKind

#: The kind of business that each CNAPS number carries.
KIND_OF: dict[str, RetailKind] = {
    "beps.121.001.01": RetailKind.ORDINARY_CREDIT,
    "beps.122.001.01": RetailKind.ORDINARY_CREDIT,
    "beps.123.001.01": RetailKind.REALTIME_CREDIT,
    "beps.125.001.01": RetailKind.REGULAR_CREDIT,
    "beps.127.001.01": RetailKind.ORDINARY_DEBIT,
    "beps.131.001.01": RetailKind.REALTIME_DEBIT,
    "beps.133.001.01": RetailKind.REGULAR_DEBIT,
    "ibps.101.001.01": RetailKind.IBPS_CREDIT,
    "ibps.103.001.01": RetailKind.IBPS_DEBIT,
}


@dataclass(frozen=True, slots=True)
class Package:
    """A message with payments of one kind between two participants.

    starter, other: bank codes of the bank that sends it and of the one it is for
    system:         that is to clear it
    dates:          the different settlement dates in it
    types:          the different business types in it; agents: the pairs of banks that its payments name
    items:          number and fen of each payment
    """

    kind: RetailKind
    system: str
    business_id: str
    created: dt.datetime
    starter: str
    other: str
    types: frozenset[str]
    dates: frozenset[dt.date]
    agents: frozenset[tuple[str, str]]
    items: list[tuple[str, int]]
    transactions: tuple[Transaction, ...]


def read_package(checked: Checked) -> Package:
    """The payments of a pacs.008, pacs.009 or pacs.003 of BEPS or IBPS."""
    return package_of(checked.kind.iso, checked.root, KIND_OF[checked.kind.number])


def package_of(iso: str, root: Element, kind: RetailKind) -> Package:
    """The payments of a document, which is of this kind of business."""
    message: credits.CustomerCredit | credits.BankCredit | debits.CustomerDebit
    if iso == credits.PACS_008:
        message = credits.read_customer_credit(root)
    elif iso == credits.PACS_009:
        message = credits.read_bank_credit(root)
    else:
        message = debits.read_customer_debit(root)
    paid: Sequence[CustomerTransfer | BankTransfer | CustomerCollection] = message.transactions
    return Package(
        kind=kind,
        system=message.system,
        business_id=message.business_id,
        created=message.created,
        starter=message.instructing,
        other=message.instructed,
        dates=frozenset([each.settlement_date for each in paid]),
        types=frozenset([each.business_type for each in paid]),
        agents=frozenset([_agents(each) for each in paid]),
        items=[(each.transaction_id, each.amount_fen) for each in paid],
        transactions=tuple([Transaction(each.transaction_id, each.uetr, each.end_to_end_id) for each in paid]),
    )


def _agents(paid: CustomerTransfer | BankTransfer | CustomerCollection) -> tuple[str, str]:
    """The bank of the payer and the bank of the payee."""
    if isinstance(paid, BankTransfer):
        return paid.debtor, paid.creditor
    return paid.debtor_agent, paid.creditor_agent


@dataclass(frozen=True)
class RetailLimits:
    """What the centre allows a message.

    package_limit: most payments of a package
    item_limit:    most of one credit by system and date, fen
    keeps_account: whether a bank code is a participant's
    """

    package_limit: int
    item_limit: Callable[[System, dt.date], int]
    keeps_account: Callable[[str], bool]

    def problem(self, package: Package, date: dt.date) -> tuple[Refusal, str, str] | None:
        """Refusal, ISO code and words of the first limit that a message breaks, in order of precedence."""
        if package.kind.system is System.BEPS and len(package.items) > self.package_limit:
            return Refusal.FORMAT, Code.FORMAT, f"a package holds at most {self.package_limit} payments"
        if len(package.types) > 1:
            return Refusal.FORMAT, Code.FORMAT, "a package holds payments of one business type"
        if len(package.agents) > 1:
            return Refusal.FORMAT, Code.FORMAT, "a package goes between two banks"
        if not self.keeps_account(package.other):
            code = Code.DEBTOR_AGENT if package.kind.is_debit else Code.CREDITOR_AGENT
            return Refusal.FORMAT, code, f"{package.other} keeps no account here"
        most = self.item_limit(package.kind.system, date)
        if not package.kind.is_debit and any(fen > most for _, fen in package.items):
            return Refusal.AMOUNT, Refusal.AMOUNT.iso, "a payment is over the limit of its date"
        return None
