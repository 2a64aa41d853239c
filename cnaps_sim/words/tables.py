"""The result tables, column by column: name, type, unit and meaning.

The order is the documented order over which a table's SHA-256 is taken. Types: `i64`, `i8`, `date`, `text`
(dictionary-encoded in Parquet) and `id` (plain text). Every column may be null where it does not apply,
unless it is `required`.
"""

from __future__ import annotations

from typing import NamedTuple


class Column(NamedTuple):
    """One documented column of a result table."""

    name: str
    kind: str
    meaning: str
    required: bool = True


_DATE = Column("date", "date", "HVPS business date")
_EITHER_DATE = Column("date", "date", "HVPS business date; of a retail payment or round its retail date")

TABLES: dict[str, tuple[Column, ...]] = {
    "payments": (
        _EITHER_DATE,
        Column("sequence", "i64", "number of the instruction, unique in the run"),
        Column("payment_id", "id", "the sender's id"),
        Column("system", "text", "HVPS; SAPS for items of levels 0 and 2-5; BEPS and IBPS for retail items"),
        Column("debtor", "text", "account debited"),
        Column("creditor", "text", "account credited"),
        Column("on_behalf_of", "text", "indirect participant behind the debtor", False),
        Column("amount_fen", "i64", "fen"),
        Column("priority", "text", "URGT, HIGH, NORM; null for retail items and the central bank's bookings", False),
        Column("level", "i8", "level of the settlement queue, 0-7; null for retail items", False),
        Column("type", "text", "business type", False),
        Column("instructed_ms", "i64", "when the bank was told to pay"),
        Column("submitted_ms", "i64", "when the system received it; null if it never left the bank", False),
        Column("due_ms", "i64", "when it had to be settled at the latest", False),
        Column("netted_ms", "i64", "netting, retail systems", False),
        Column("settled_ms", "i64", "posting in SAPS", False),
        Column("ended_ms", "i64", "instant of the final status", False),
        Column("round", "i64", "netting round, retail systems", False),
        Column("status", "text", "PR00-PR32"),
        Column("reason", "text", "RJ90-RJ99", False),
        Column("reason_iso", "text", "ISO 20022 reason code", False),
        Column("released_by", "text", "what let it settle or be netted; null when that was on arrival", False),
    ),
    "transfers": (
        _DATE,
        Column("sequence", "i64", "order of posting, from 0"),
        Column("time_ms", "i64", "instant of posting"),
        Column("debtor", "text", "account debited"),
        Column("creditor", "text", "account credited"),
        Column("amount_fen", "i64", "fen"),
        Column("level", "i8", "level of the settlement queue, null if it never stood in one", False),
        Column("kind", "text", "payment, net, reversal, same_city_net, one_sided, interest, fee, penalty, ..."),
        Column("payment_id", "id", "the payment that settled; null for a transfer without one", False),
        Column("for_payment", "id", "of a rescue, a pledge loan and its repayment: the payment covered", False),
        Column("matching", "i64", "the matching that released it", False),
    ),
    "accounts": (
        _DATE,
        Column("account", "id", "settlement account"),
        Column("name", "text", "name of the participant", False),
        Column("kind", "text", "class of the participant", False),
        Column("owner", "text", "legal entity"),
        Column("opening_fen", "i64", "balance when the business date began"),
        Column("closing_fen", "i64", "balance when it ended"),
        Column("lowest_fen", "i64", "lowest balance"),
        Column("min_available_fen", "i64", "lowest available funds; null for the central bank", False),
        Column("peak_overdraft_fen", "i64", "largest negative balance, as a positive number"),
        Column("peak_pledge_fen", "i64", "most owed in pledge loans at once"),
        Column("penalty_loan_fen", "i64", "lent at the penalty rate when the clearing window closed"),
        Column("overdraft_interest_fen", "i64", "intraday overdraft interest charged"),
        Column("sent_fen", "i64", "debits posted"),
        Column("received_fen", "i64", "credits posted"),
        Column("sent_count", "i64", "number of debits"),
        Column("received_count", "i64", "number of credits"),
        Column("status", "text", "AS00-AS06 at the end"),
    ),
    "series": (
        _DATE,
        Column("time_ms", "i64", "instant of the sample"),
        Column("scope", "text", "an account, or a system"),
        Column("measure", "text", "balance_fen, queued_fen, queued_count, settled_fen, settled_count, ..."),
        Column("value", "i64", "in the unit that ends the measure's name"),
    ),
    "rounds": (
        _EITHER_DATE,
        Column("round", "i64", "netting round"),
        Column("time_ms", "i64", "instant of the round"),
        Column("kind", "text", "first, intraday, last, only"),
        Column("participant", "text", "account"),
        Column("net_fen", "i64", "positive: to receive"),
        Column("sent_ms", "i64", "handed to SAPS", False),
        Column("settled_ms", "i64", "posted in SAPS", False),
    ),
    "matchings": (
        _DATE,
        Column("matching", "i64", "number"),
        Column("time_ms", "i64", "instant at which it chose the payments"),
        Column("settled_ms", "i64", "instant at which they were posted; null if it settled nothing", False),
        Column("trigger", "text", "what started it"),
        Column("algorithm", "text", "name"),
        Column("considered", "i64", "payments looked at"),
        Column("considered_fen", "i64", "fen"),
        Column("settled", "i64", "payments settled"),
        Column("settled_fen", "i64", "fen"),
        Column("bound_fen", "i64", "LP bound", False),
        Column("accounts", "i64", "accounts with a payment settled"),
    ),
    "events": (
        _DATE,
        Column("sequence", "i64", "order, from 0"),
        Column("time_ms", "i64", "instant"),
        Column("kind", "text", "phase, warning, action, loan, interest, ..."),
        Column("subject", "text", "account, payment or system concerned"),
        Column("detail", "text", "what happened, in words"),
    ),
}
