"""Who takes part and what they are told to pay: accounts, payments and opening balances of a scenario."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cnaps_sim.core.records import NO_WARNING_LINE, UNLIMITED
from cnaps_sim.run.access import EntityAccess, access_of
from cnaps_sim.run.behaviour_banks import split_payments
from cnaps_sim.run.columns import Array
from cnaps_sim.run.opening_balances import first_day, opening_balances
from cnaps_sim.run.opening_terms import check_earmarks
from cnaps_sim.run.overdrafts import give_overdrafts
from cnaps_sim.run.results import Directory
from cnaps_sim.scenario.accounts import Access, AccountsFile, GeneratedAccounts
from cnaps_sim.scenario.actions import CentralBankCredit, Inject, Nets
from cnaps_sim.scenario.load import Loaded
from cnaps_sim.scenario.resolve import resolved
from cnaps_sim.scenario.workload import (
    RETAIL_SYSTEMS,
    WorkloadEntry,
    WorkloadFile,
    WorkloadGenerator,
    WorkloadMessages,
    WorkloadPayments,
)
from cnaps_sim.systems.dvp import CODE as LEG
from cnaps_sim.systems.dvp import hold_legs_to_their_hours
from cnaps_sim.words.codes import AccountStatus, Cause, CentralBankAccount, Life
from cnaps_sim.words.errors import InputError
from cnaps_sim.words.participant_kinds import ParticipantKind
from cnaps_sim.words.streams import Streams
from cnaps_sim.words.timetable import Timetable
from cnaps_sim.words.units import format_fen
from cnaps_sim.workload.account_rows import AccountRow, account_row, read_accounts
from cnaps_sim.workload.flow import Flow, merge
from cnaps_sim.workload.population import account_rows, national_accounts
from cnaps_sim.workload.replay import from_rows, read_payments
from cnaps_sim.workload.replay import place_of_payment as place_in_file
from cnaps_sim.workload.synthetic import HvpsParameters, generate_hvps_day

if TYPE_CHECKING:
    from cnaps_sim.run.message_files import MessageFiles, RejectedFile
    from cnaps_sim.workload.retail_chunk import RetailStream

#: The form of the ids that the centre gives its bookings and returns.
BOOKING_LIKE = r"^[A-Z0-9]{4}-[0-9]{6,}$"
#: Names of the central bank's own accounts.
_CENTRAL_BANK_NAMES = {
    CentralBankAccount.LENDING: "中国人民银行 再贷款 / PBC lending",
    CentralBankAccount.NETTING: "中国人民银行 轧差清算 / PBC netting",
    CentralBankAccount.INTEREST_AND_FEES: "中国人民银行 利息与收费 / PBC interest and fees",
    CentralBankAccount.ONE_SIDED: "中国人民银行 单边业务 / PBC one-sided business",
}
#: All balances together stay far from the end of int64.
_TOTAL_LIMIT = 4_000_000_000_000_000_000


@dataclass(frozen=True)
class Population:
    """The participants' accounts, the payments they are told to make, and what they open with (fen).

    sizes:        weight of each account, for what is drawn in proportion to it
    rejected:     message files of the workload that bring no payment
    retail:       payments of BEPS and IBPS; None if there are none
    credit_lines: of the net debit caps, fen
    """

    rows: list[AccountRow]
    flow: Flow
    opening: Array
    sizes: Array
    credit_lines: Array
    rejected: Sequence[RejectedFile] = ()
    retail: RetailStream | None = None

    @property
    def index(self) -> dict[str, int]:
        """Row of each participant's account."""
        return {row["account"]: number for number, row in enumerate(self.rows)}

    def directory(self) -> Directory:
        """Names for the tables: participants first, then the central bank's own accounts."""
        own = list(CentralBankAccount)
        return Directory(
            accounts=[row["account"] for row in self.rows] + [account.value for account in own],
            names=[row["name"] for row in self.rows] + [_CENTRAL_BANK_NAMES[account] for account in own],
            kinds=[row["kind"] for row in self.rows] + [ParticipantKind.CENTRAL_BANK.value] * len(own),
            owners=[row["owner"] for row in self.rows] + ["PBC"] * len(own),
        )

    def booking_like_ids(self) -> frozenset[str]:
        """Ids of payments that look like those the central bank gives its bookings (`FEES-000001`)."""
        ids = self.flow.payment_ids
        return frozenset(ids.filter(pc.match_substring_regex(ids, BOOKING_LIKE)).to_pylist())

    def terms(self) -> list[dict[str, Any]]:
        """The accounts as the books want them (see `core.Books`), the central bank's own ones last."""
        own = {"central_bank": True, "overdraft_limit": UNLIMITED}
        participants = [_terms(row, int(fen)) for row, fen in zip(self.rows, self.opening, strict=True)]
        return participants + [own] * len(CentralBankAccount)


def _terms(row: AccountRow, opening: int) -> dict[str, Any]:
    line = row["warning_line"]
    return {
        **_STATUS_TERMS[row["status"]],
        "balance": opening,
        "floor": row["floor"],
        "earmark": row["earmark"],
        "overdraft_limit": row["overdraft_limit"],
        "reserved_high": row["reserved_high"],
        "reserved_urgent": row["reserved_urgent"],
        "warning_line": NO_WARNING_LINE if line is None else line,
    }


def _status_terms(status: AccountStatus) -> dict[str, Any]:
    controlled = status in (AccountStatus.AS04, AccountStatus.AS05)
    return {
        "life": Life.OPEN if controlled else Life(int(status.value[2:])),
        "debit_control": status == AccountStatus.AS04,
        "credit_control": status == AccountStatus.AS05,
    }


#: What the status of an account (AS00 to AS06) means to the books.
_STATUS_TERMS: Final = {status.value: _status_terms(status) for status in AccountStatus}


def populate(loaded: Loaded, timetable: Timetable, streams: Streams) -> Population:
    """Accounts, payments and opening balances of a scenario. InputError for whatever its files hold that is wrong."""
    entities, sizes = _accounts(loaded)
    access = access_of(loaded.scenario, entities, sizes)
    rows = entities if access is None else access.rows()
    names = [row["account"] for row in rows]
    loaded.check_accounts(names)
    index = {name: number for number, name in enumerate(names)}
    for given in loaded.scenario.reservations:
        row = rows[index[given.account]]
        row["reserved_high"], row["reserved_urgent"] = given.high, given.urgent
    messages = _message_files(loaded, index, timetable)
    flow = _workload(loaded, index, sizes, timetable, streams, messages, access)
    _check_ids(loaded, flow)
    opening = opening_balances(loaded, entities, flow if access is None else access.pooled(flow), timetable, streams)
    opening = opening if access is None else access.split(opening)
    check_earmarks(loaded, rows, opening)
    give_overdrafts(loaded.scenario.accounts, rows, first_day(flow, timetable))
    _check_total(loaded, opening)
    flow = split_payments(loaded, rows, flow)
    retail = _retail(loaded, index, sizes, timetable, streams, messages)
    _check_ids_differ(loaded, flow, retail)
    lines = np.array([row["credit_line"] for row in rows], np.int64)
    if retail is not None:
        from cnaps_sim.run.retail.population import credit_lines

        lines = credit_lines(loaded, rows, retail)
    if access is not None:
        sizes, lines = access.padded(sizes), access.padded(lines)
    rejected = () if messages is None else messages.rejected
    return Population(rows, flow, opening, sizes, lines, rejected, retail)


def _check_total(loaded: Loaded, opening: Array) -> None:
    total = sum(opening.tolist()) + _granted(loaded)
    if abs(total) > _TOTAL_LIMIT:
        raise InputError(
            loaded.place_of("accounts"), "balance", "all balances and injections are too large", format_fen(total),
            f"up to {format_fen(_TOTAL_LIMIT)} CNY",
        )  # fmt: skip


def reopened(population: Population, loaded: Loaded, timetable: Timetable, streams: Streams) -> Population | None:
    """The same accounts and payments with the opening balances of another scenario, which differs in `liquidity` and
    in what no population depends on; None where balances depend on more, and the population has to be made anew."""
    scenario, rows = loaded.scenario, population.rows
    if scenario.behaviours or scenario.access is not Access.SINGLE or any(row["earmark"] for row in rows):
        return None
    opening = opening_balances(loaded, rows, population.flow, timetable, streams)
    _check_total(loaded, opening)
    return dataclasses.replace(population, opening=opening)


def _check_ids_differ(loaded: Loaded, flow: Flow, retail: RetailStream | None) -> None:
    """A payment of BEPS or IBPS may not have the id of one of HVPS."""
    ids = getattr(retail, "payment_ids", None)
    if ids is None:
        return
    reserved = ids.filter(pc.match_substring_regex(ids, BOOKING_LIKE))
    if len(reserved):
        place = place_of_payment(loaded, reserved[0].as_py())
        problem = "has the form of the ids that the centre gives"
        raise InputError(place, "payment_id", problem, reserved[0].as_py(), "other ids than such as NETS-000001")
    twice = ids.filter(pc.is_in(ids, flow.payment_ids.cast(pa.string())))
    if len(twice):
        place = place_of_payment(loaded, twice[0].as_py())
        raise InputError(place, "payment_id", "used by two payments", twice[0].as_py(), "an id used once")


def _retail(
    loaded: Loaded,
    index: Mapping[str, int],
    sizes: Array,
    timetable: Timetable,
    streams: Streams,
    messages: MessageFiles | None,
) -> RetailStream | None:
    if not loaded.scenario.has_retail:
        return None
    from cnaps_sim.run.retail.population import retail_stream  # takes a while to load, and many runs need none

    return retail_stream(loaded, index, sizes, timetable, streams, messages)


def _message_files(loaded: Loaded, index: Mapping[str, int], timetable: Timetable) -> MessageFiles | None:
    """The reader of the scenario's message files; None if it has none."""
    if not any(isinstance(entry, WorkloadMessages) for entry in loaded.scenario.workload):
        return None
    from cnaps_sim.run.message_files import MessageFiles  # messages take a while to load, and most runs need none

    return MessageFiles(index, timetable, travelling=loaded.scenario.messages > 0)


def _granted(loaded: Loaded) -> int:
    """What the scenario's actions add to the participants' accounts at most, fen."""
    total = 0
    for action in loaded.scenario.actions:
        if isinstance(action, Inject | CentralBankCredit):
            total += action.amount
        elif isinstance(action, Nets):
            total += sum(max(0, net.net) for net in action.nets)
    return total


def place_of_payment(loaded: Loaded, payment_id: str) -> str:
    """Where a payment of the workload was written: `file:line` of its file or of the scenario."""
    for number, entry in enumerate(loaded.scenario.workload):
        if isinstance(entry, WorkloadFile):
            place = place_in_file(loaded.files[f"workload.{number}.file"], payment_id)
            if place is not None:
                return place
        elif isinstance(entry, WorkloadPayments):
            for row, payment in enumerate(entry.payments):
                if payment.payment_id == payment_id:
                    return loaded.place_of(("workload", number, "payments", row, "payment_id"))
    return loaded.place_of("workload")


def _check_ids(loaded: Loaded, flow: Flow) -> None:
    """A payment may not be called by a word that results use for what released another."""
    words = [cause.word for cause in Cause if cause.word]
    ids = flow.payment_ids
    taken = ids.filter(pc.or_(pc.is_in(ids, pa.array(words)), pc.starts_with(ids, "matching:")))
    if len(taken):
        place = place_of_payment(loaded, taken[0].as_py())
        raise InputError(place, "payment_id", "is a word of its own in results", taken[0].as_py(), "any other id")


def _accounts(loaded: Loaded) -> tuple[list[AccountRow], Array]:
    """Account rows, and the weight of each for generators."""
    accounts = loaded.scenario.accounts
    if isinstance(accounts, GeneratedAccounts):
        try:
            population = national_accounts(accounts.count, float(_size_exponent(loaded.scenario.workload)))
        except ValueError as error:
            place = loaded.place_of("accounts.count")
            raise InputError(place, "accounts.count", str(error), "", "2 to 9 999") from None
        return account_rows(population), population.size
    if isinstance(accounts, AccountsFile):
        rows = read_accounts(loaded.files["accounts.file"])
    else:
        rows = [_inline_account(dict(row)) for row in accounts]
    if not rows:
        raise InputError(loaded.place_of("accounts"), "accounts", "there is no account", "", "at least one account")
    own = {account.value for account in CentralBankAccount}
    for row in rows:
        if row["account"] in own:
            raise InputError(
                loaded.place_of("accounts"), "account", "is one of the central bank's own accounts", row["account"]
            )
    return rows, np.ones(len(rows))


def _size_exponent(workload: Sequence[WorkloadEntry]) -> Decimal:
    """The exponent of the sizes that the scenario's generator is told."""
    for entry in workload:
        if isinstance(entry, WorkloadGenerator):
            return entry.size_exponent
    return Decimal("1.2")


def _inline_account(given: Mapping[str, Any]) -> AccountRow:
    row = account_row(given["account"], given["balance"], given["name"] or "", None)
    row["kind"] = given["kind"].value if given["kind"] is not None else None
    row["owner"] = given["owner"] or given["account"]
    row["status"] = given["status"].value
    row["warning_line"] = given["warning_line"]
    row["cap_warning_line"] = given["cap_warning_line"]
    for name in ("overdraft_limit", "floor", "earmark", "pledged", "credit_line", "reserved_high", "reserved_urgent"):
        row[name] = given[name]  # type: ignore[literal-required]
    return row


def _workload(
    loaded: Loaded,
    index: Mapping[str, int],
    sizes: Array,
    timetable: Timetable,
    streams: Streams,
    messages: MessageFiles | None,
    access: EntityAccess | None,
) -> Flow:
    """All payments of the scenario as one flow."""
    flows: list[Flow] = []
    scenario = loaded.scenario
    inline = resolved(scenario)["workload"]
    for number, entry in enumerate(scenario.workload):
        if entry.system in RETAIL_SYSTEMS:
            continue
        if isinstance(entry, WorkloadFile):
            path = loaded.files[f"workload.{number}.file"]
            flows.append(read_payments(path, index, scenario.date, entry.system, shared=loaded.systems_in(path)))
        elif isinstance(entry, WorkloadMessages):
            assert messages is not None
            flows.append(messages.read(loaded.files[f"workload.{number}.messages"]))
        elif isinstance(entry, WorkloadGenerator):
            try:
                made = _generated(entry, scenario.scale, sizes, timetable, streams)
                flows.extend(made if access is None else access.flows(entry, made, timetable.business_days, streams))
            except InputError as error:
                place, key = loaded.place_of(("workload", number)), f"workload.{number}.{error.key}"
                raise InputError(place, key, error.problem, error.value, error.allowed) from None
        else:
            place = loaded.place_of(("workload", number))
            flows.append(from_rows(inline[number]["payments"], index, scenario.date, place, entry.system))
    if not flows:
        flows.append(from_rows([], index, scenario.date))
    flow = merge(flows)
    hold_legs_to_their_hours(flow.rows, legs_of(flow), timetable.business_days)
    return flow


def legs_of(flow: Flow) -> Array:
    """Which payments are cash legs of bond trades (券款对付)."""
    if LEG not in flow.types:
        return np.zeros(len(flow), np.bool_)
    return np.asarray(flow.type_index == flow.types.index(LEG))


def _generated(
    entry: WorkloadGenerator, scale: Decimal, sizes: Array, timetable: Timetable, streams: Streams
) -> list[Flow]:
    """One flow per business date."""
    count = int((entry.count * scale).to_integral_value())
    value = int((entry.value * scale).to_integral_value())
    parameters = HvpsParameters(
        customer_median_fen=entry.customer_median,
        customer_sigma=float(entry.customer_sigma),
        bank_median_fen=entry.bank_median,
        bank_sigma=float(entry.bank_sigma),
        bank_share=float(entry.bank_transfer_share),
        late_value_share=float(entry.late_value_share),
        high_share=float(entry.high_share),
        urgent_share=float(entry.urgent_share),
        core_count=entry.core_count,
        ties=entry.ties,
        reciprocity=float(entry.reciprocity),
    )
    return [
        generate_hvps_day(sizes, day, count, value, streams, parameters) for day in timetable.business_days
    ]  # fmt: skip
