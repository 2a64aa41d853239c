"""Outcomes: does every payment of the stored table end in one of the ways in which a payment can end?"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cnaps_sim.audit.columns import Flags, Frame, Ints
from cnaps_sim.audit.digest import NULL, Codes, Hashes, hash_text
from cnaps_sim.audit.pool_tables import PoolsTold
from cnaps_sim.audit.verdict import Findings
from cnaps_sim.words.codes import HVPS_LEVELS, Cause, Level, Priority, Reason, Refusal, Status, System

#: Systems whose payments settle one by one on the accounts; those of the others are netted.
GROSS: Final = (System.HVPS, System.SAPS)
_RETAIL: Final = (System.BEPS, System.IBPS)


class Outcome(NamedTuple):
    """One way in which a payment can stand when a run is over."""

    gross: bool  # possible in HVPS and SAPS
    retail: bool  # possible in BEPS and IBPS
    reasons: tuple[str | None, ...]
    ended: bool = True
    moved: bool = False  # settled (gross) or netted (retail)


_REFUSED: Final = (Reason.RJ90, Reason.RJ91, Reason.RJ92, Reason.RJ94, Reason.RJ95)
#: The outcomes by status; a status that is not here is none that a payment can keep.
OUTCOMES: Final[dict[str, tuple[Outcome, ...]]] = {
    Status.PR04: (Outcome(True, False, (None,), moved=True),),
    Status.PR03: (Outcome(False, True, (None,), moved=True),),
    Status.PR22: (Outcome(True, True, (None,), moved=True),),
    Status.PR23: (Outcome(True, True, (None,), moved=True),),
    Status.PR09: (Outcome(True, True, _REFUSED), Outcome(True, False, (Reason.RJ99,))),
    Status.PR08: (Outcome(True, True, (None,)), Outcome(False, True, (Reason.RJ94,))),
    Status.PR21: (Outcome(False, True, (None,)),),
    Status.PR32: (Outcome(False, True, (Reason.RJ90,)),),
    Status.PR11: (Outcome(False, True, (None,), ended=False),),
    Status.PR12: (Outcome(True, True, (None,), ended=False),),
}
#: ISO reasons of each CNAPS reason (退回, 拒绝).
_ISO: Final = {
    reason.value: frozenset(r.iso for r in Refusal if r is not Refusal.NONE and r.reason is reason)
    | ({"DT01"} if reason is Reason.RJ90 else set())
    for reason in Reason
}


def check_outcomes(payments: Frame, findings: Findings) -> None:
    """`outcomes`: status, reasons and known instants of each payment make up one possible outcome.

    Settled (PR04, later PR22 or PR23) in HVPS and SAPS, netted (PR03) in the retail systems; refused (PR09 with
    RJ90-RJ95), returned (PR09, RJ99), cancelled (PR08), stopped (PR21), expired (PR32), or still open (PR11,
    PR12). What has ended has an `ended_ms`, what has settled a `settled_ms`, and nothing else has.
    """
    words = [payments.texts(name) for name in ("system", "status", "reason", "reason_iso")]
    known = [payments.known(name) for name in ("submitted_ms", "netted_ms", "settled_ms", "ended_ms")]
    key, example = _combinations([(codes, len(texts)) for codes, texts in words], known)
    problems: dict[int, str] = {}
    for number, row in enumerate(example.tolist()):
        here = [texts[codes[row]] if codes[row] >= 0 else None for codes, texts in words]
        problem = _problem_of(here, [bool(flags[row]) for flags in known])
        if problem is not None:
            problems[number] = problem
    wrong = np.zeros(len(example), np.bool_)
    wrong[list(problems)] = True
    findings.where(
        "outcomes",
        wrong[key],
        lambda row: f"payment {payments.text('payment_id', row)} {problems[int(key[row])]}",
    )


def _problem_of(texts: list[str | None], known: list[bool]) -> str | None:
    """What is wrong with a combination of system, status, reasons and known instants; None if nothing is."""
    system, status, reason, iso = texts
    submitted, netted, settled, ended = known
    is_gross = system in GROSS
    if not is_gross and system not in _RETAIL:
        return f"belongs to {system}, which is no system that keeps payments"
    outcome = next(
        (o for o in OUTCOMES.get(status or "", ()) if (o.gross if is_gross else o.retail) and reason in o.reasons), None
    )
    if outcome is None:
        return f"of {system} has status {status} and reason {reason}, which is no outcome"
    if (reason is None) != (iso is None) or (reason in _ISO and iso not in _ISO[reason or ""]):
        return f"has reason {reason} and ISO reason {iso}, which do not go together"
    if status == Status.PR32 and iso != Refusal.TIMED_OUT.iso:
        return f"has status {status} and ISO reason {iso}, although it was not answered in time"
    if ended != outcome.ended:
        return f"has status {status} {'and' if ended else 'but no'} ended_ms"
    if settled != (outcome.moved and is_gross):
        return f"of {system} has status {status} {'and' if settled else 'but no'} settled_ms"
    if not is_gross and netted != outcome.moved:
        return f"of {system} has status {status} {'and' if netted else 'but no'} netted_ms"
    if not submitted and status != Status.PR12:
        return f"has status {status} but no submitted_ms"
    return None


def _combinations(coded: list[tuple[NDArray[Any], int]], flags: list[Flags]) -> tuple[NDArray[Any], Ints]:
    """Number the different combinations of codes (-1 to n - 1) and flags: each row's number, one row of each."""
    span = 1
    for _, size in coded:
        span *= size + 1
    span <<= len(flags)
    if span > 1 << 24:  # a nonsensical number of different texts: only the combinations that occur are counted
        columns = np.stack([*(codes for codes, _ in coded), *flags])
        _, example, number = np.unique(columns, axis=1, return_index=True, return_inverse=True)
        return number.reshape(-1), example
    key = np.zeros(len(flags[0]) if flags else len(coded[0][0]), np.int32)
    for codes, size in coded:
        key *= size + 1
        key += codes + 1
    for flag in flags:
        key <<= 1
        key |= flag
    row = np.full(span, -1)
    row[key] = np.arange(len(key))
    number_of = np.cumsum(row >= 0, dtype=np.int32) - 1
    return number_of[key], row[row >= 0]


def check_times(payments: Frame, findings: Findings) -> None:
    """`times-ordered`: instructed ≤ submitted ≤ netted and settled ≤ ended; a settled or netted payment ended then.

    The original of a reversal or return (PR22, PR23) ends later than it settled.
    """
    findings.made("times-ordered")
    order = (
        ("instructed_ms", "submitted_ms"),
        ("instructed_ms", "ended_ms"),
        ("submitted_ms", "netted_ms"),
        ("submitted_ms", "settled_ms"),
        ("submitted_ms", "ended_ms"),
        ("netted_ms", "ended_ms"),
        ("settled_ms", "ended_ms"),
    )
    for first, second in order:
        if payments.has(first, second):
            early, late = payments.ints(first), payments.ints(second)
            wrong = early > late
            wrong &= late != NULL
            _tell_times(payments, findings, wrong, f"{second} before {first}")
    if payments.has("status", "settled_ms", "ended_ms"):
        wrong = payments.is_one_of("status", Status.PR04)
        wrong &= payments.ints("settled_ms") != payments.ints("ended_ms")
        _tell_times(payments, findings, wrong, "an ended_ms that is not its settled_ms")
    if payments.has("status", "netted_ms", "ended_ms"):
        wrong = payments.is_one_of("status", Status.PR03)
        if wrong.any():
            wrong &= payments.ints("netted_ms") != payments.ints("ended_ms")
            _tell_times(payments, findings, wrong, "an ended_ms that is not its netted_ms")


def _tell_times(payments: Frame, findings: Findings, wrong: Flags, what: str) -> None:
    findings.where("times-ordered", wrong, lambda row: f"payment {payments.text('payment_id', row)} has {what}")


def check_levels(payments: Frame, findings: Findings) -> None:
    """`levels-and-priorities`: HVPS payments stand at level 1, 6 or 7 with the priority of that level; the central
    bank's own items (SAPS) at levels 0 and 2-5 without one. Amounts are positive unless refused."""
    level = payments.ints("level")
    place = np.where((level >= 0) & (level < len(Level)), level, -1).astype(np.int32)
    systems, priorities = payments.texts("system"), payments.texts("priority")
    coded = [(place, len(Level)), (systems[0], len(systems[1])), (priorities[0], len(priorities[1]))]
    key, example = _combinations(coded, [])
    stands = np.zeros(len(example), np.bool_)
    for number, row in enumerate(example.tolist()):
        system, priority = (texts[codes[row]] if codes[row] >= 0 else None for codes, texts in (systems, priorities))
        stands[number] = _stands(system, priority, int(place[row]))
    findings.where(
        "levels-and-priorities",
        ~stands[key],
        lambda row: (
            f"payment {payments.text('payment_id', row)} of {payments.text('system', row)} stands at level "
            f"{level[row]} with priority {payments.text('priority', row)}"
        ),
    )
    refused = payments.is_one_of("status", Status.PR09)
    amount = payments.ints("amount_fen")
    findings.where(
        "levels-and-priorities",
        (amount <= 0) & ~refused,
        lambda row: f"payment {payments.text('payment_id', row)} is accepted with {amount[row]} fen",
    )


def _stands(system: str | None, priority: str | None, level: int) -> bool:
    """Whether a payment of this system and priority may stand at this level (-1: no level at all)."""
    if level < 0 or (priority is not None and priority not in list(Priority)):
        return False
    if system == System.HVPS:
        return level in HVPS_LEVELS and priority == Priority.of(level)
    return system != System.SAPS or (level not in HVPS_LEVELS and priority is None)


def check_returned(payments: Frame, events: Frame | None, findings: Findings) -> None:
    """`returned-at-close`: payments are returned (RJ99) at one instant of the date, at which a phase ends, and
    no HVPS payment of that date settles later; only levels 1, 6 and 7 are returned."""
    findings.made("returned-at-close")
    returned = np.flatnonzero(payments.is_one_of("reason", Reason.RJ99))
    if not len(returned):
        return
    date, ended, settled = payments.ints("date"), payments.ints("ended_ms"), payments.ints("settled_ms")
    dates = np.unique(date[returned])
    close = np.full(len(dates), NULL)
    day = np.searchsorted(dates, date[returned])
    np.maximum.at(close, day, ended[returned])
    wrong = (ended[returned] != close[day]) | ~np.isin(payments.ints("level")[returned], HVPS_LEVELS)
    if events is not None and events.has("kind", "time_ms"):
        phases = events.ints("time_ms")[events.is_one_of("kind", "phase")]
        wrong |= ~np.isin(close[day], phases) if len(phases) else False
    findings.where(
        "returned-at-close",
        wrong,
        lambda k: f"payment {payments.text('payment_id', int(returned[k]))} was not returned when the window closed",
    )
    late = np.zeros(payments.rows, np.bool_)
    for one, close_ms in zip(dates.tolist(), close.tolist(), strict=True):
        late |= (date == one) & (settled > close_ms)
    findings.where(
        "returned-at-close",
        late & payments.is_one_of("system", System.HVPS),
        lambda row: f"payment {payments.text('payment_id', row)} settled after the window of its date had closed",
    )


def check_released(
    payments: Frame, ids: Hashes, posted: Hashes | None, numbers: Ints | None, pools: PoolsTold, findings: Findings
) -> None:
    """`released-by`: a payment that settled on arrival was released by nothing; one that settled later names what
    released it: a word, `matching:N` of a matching that took place, or a payment that settled at that very instant
    and credited its account, or that a matching settled for its account; or did so for a member of its pool (资金池).

    ids: hash of each payment's id; posted: hashes of the ids in the table of transfers; numbers: those of the
    matchings that took place, None if they cannot be told
    """
    codes, texts = payments.texts("released_by")
    named = codes >= 0
    settled_ms, submitted_ms = payments.ints("settled_ms"), payments.ints("submitted_ms")
    settled = settled_ms != NULL
    findings.where(
        "released-by",
        named & ~settled & ~payments.known("netted_ms"),
        lambda row: f"payment {payments.text('payment_id', row)} names what released it but has not settled",
    )
    findings.where(
        "released-by",
        ~named & settled & (settled_ms > submitted_ms),
        lambda row: f"payment {payments.text('payment_id', row)} waited but does not name what released it",
    )
    matching_of = matchings_named(payments)
    if numbers is not None:
        _check_took_place(payments, matching_of, numbers, findings)
    is_word = np.array([*(text in _RELEASE_WORDS for text in texts), True]) | (matching_of != 0)
    by_payment = ~is_word[codes]
    rows = np.flatnonzero(by_payment & settled)
    if not len(rows):
        return
    of_text = payments_named(texts, ids, settled)
    releaser = of_text[codes[rows]]
    unknown = releaser < 0
    if posted is not None and unknown.any():
        names = pa.array([texts[code] for code in codes[rows[unknown]]], pa.string())
        unknown[unknown] = ~np.isin(hash_text(names), posted)
    findings.where(
        "released-by",
        unknown,
        lambda k: (
            f"payment {payments.text('payment_id', int(rows[k]))} was released by {texts[codes[rows[k]]]}, "
            "which no settled payment is called"
        ),
    )
    rows, releaser = rows[releaser >= 0], releaser[releaser >= 0]
    debtor, creditor = account_codes(payments)
    freed = debtor[rows] == creditor[releaser]
    freed |= (debtor[rows] == debtor[releaser]) & (matching_of[codes[releaser]] != 0)
    if pools:
        paying, paid = payments.coded("debtor", pools.of), payments.coded("creditor", pools.of)
        fellows = paying[rows] == paid[releaser]
        fellows |= (paying[rows] == paying[releaser]) & (matching_of[codes[releaser]] != 0)
        freed |= fellows & (paying[rows] >= 0)
    wrong = (settled_ms[rows] != settled_ms[releaser]) | ~freed | (rows == releaser)
    findings.where(
        "released-by",
        wrong,
        lambda k: (
            f"payment {payments.text('payment_id', int(rows[k]))} names {texts[codes[rows[k]]]} as what released "
            "it, which did not credit its account at that instant, nor did a matching settle it for that account"
        ),
    )


def _check_took_place(payments: Frame, matching_of: Ints, numbers: Ints, findings: Findings) -> None:
    """A matching that is named as what released a payment is one of those that took place."""
    unheard = (matching_of != 0) & ~np.isin(matching_of, numbers)
    if unheard.any():
        findings.where(
            "released-by",
            unheard[payments.texts("released_by")[0]],
            lambda row: (
                f"payment {payments.text('payment_id', row)} was released by {payments.text('released_by', row)}, "
                "which did not take place"
            ),
        )


def matchings_named(payments: Frame) -> Ints:
    """By text of `released_by` the number N of `matching:N`, 0 for any other text; one 0 more at the end, for null."""
    named = np.zeros(len(payments.texts("released_by")[1]) + 1, np.int64)
    for place, text in enumerate(payments.texts("released_by")[1]):
        if text.startswith(_MATCHING):
            number = text.removeprefix(_MATCHING)
            named[place] = int(number) if number.isdecimal() and len(number) < 19 else 0
    return named


_MATCHING: Final = "matching:"
_RELEASE_WORDS: Final = frozenset(cause.word for cause in Cause if cause.word is not None)


def payments_named(texts: list[str], ids: Hashes, among: Flags) -> Ints:
    """For each text the row, among these payments, of the one that bears it as id; -1 if none does."""
    wanted = hash_text(pa.array(texts, pa.string()))
    first_of = pc.index_in(pa.array(ids), value_set=pa.array(wanted)).fill_null(-1).to_numpy(zero_copy_only=False)
    rows = np.flatnonzero((first_of >= 0) & among)
    row_of = np.full(len(texts), -1)
    row_of[first_of[rows]] = rows
    return row_of


def account_codes(frame: Frame) -> tuple[Codes, Codes]:
    """Debtors and creditors of payments or transfers as codes into one common list."""
    _, debtors = frame.texts("debtor")
    number = {name: place for place, name in enumerate(debtors)}
    creditor = frame.coded("creditor", lambda name: number.setdefault(name, len(number)))
    return frame.texts("debtor")[0], creditor
