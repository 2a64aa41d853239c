"""The table of rounds: do the nets of each netting round (轧差场次) cancel out, and did SAPS post what it was given?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa

from cnaps_sim.audit.columns import Frame, Ints
from cnaps_sim.audit.digest import NULL, Hashes, chain, hash_text
from cnaps_sim.audit.postings import without_partner
from cnaps_sim.audit.verdict import Findings
from cnaps_sim.words.codes import CentralBankAccount, System, TransferKind
from cnaps_sim.words.retail_days import RoundKind
from cnaps_sim.words.units import MS_PER_DAY, MS_PER_HOUR, MS_PER_MINUTE, format_clock

VALID: Final = "rounds-valid"
SUM: Final = "rounds-sum-to-zero"
POSTED: Final = "rounds-posted"
MATCH: Final = "rounds-match-transfers"

#: From this time of day of a working day SAPS takes the nets held before.
_MORNING_MS: Final = 8 * MS_PER_HOUR + 30 * MS_PER_MINUTE


def check_rounds(
    rounds: Frame, transfers: Frame | None, events: Frame | None, manifest: Any, findings: Findings
) -> None:
    """Check the table of rounds by itself and beside transfers.

    Rules: see the functions it calls. A release is told from the manifest's timetable and the events.
    """
    with findings.checking(VALID):
        _check_valid(rounds, findings)
    with findings.checking(SUM):
        _check_sums(rounds, findings)
    with findings.checking(POSTED):
        _check_posted(rounds, releases(manifest, events), findings)
    if transfers is not None:
        with findings.checking(MATCH):
            _check_match(rounds, transfers, findings)


def _starts(rounds: Frame) -> Ints:
    """First row of each run of rows of one round."""
    number = rounds.ints("round")
    begins = np.ones(len(number), np.bool_)
    begins[1:] = number[1:] != number[:-1]
    return np.flatnonzero(begins)


def _name(rounds: Frame, row: int) -> str:
    return f"the net of round {rounds.text('round', row)} for {rounds.text('participant', row)}"


def _check_valid(rounds: Frame, findings: Findings) -> None:
    """`rounds-valid`: rounds stand in order of number and time; all rows of one tell its one date, instant and kind,
    and each participant once, with a net that is not zero."""
    number, time_ms = rounds.ints("round"), rounds.ints("time_ms")
    step = np.diff(number, prepend=number[:1])
    wrong = (number < 1) | (step < 0) | (rounds.ints("net_fen") == 0)
    kinds = [kind.value for kind in RoundKind]
    wrong |= ~rounds.is_one_of("kind", *kinds)
    codes = {name: rounds.texts(name)[0] for name in ("kind", "participant")}
    for column in (rounds.ints("date"), time_ms, codes["kind"]):
        wrong[1:] |= (step[1:] == 0) & (column[1:] != column[:-1])
    wrong[1:] |= time_ms[1:] < time_ms[:-1]
    order = np.lexsort((codes["participant"], number))
    again = (np.diff(number[order]) == 0) & (np.diff(codes["participant"][order]) == 0)
    wrong[order[1:][again]] = True
    findings.where(VALID, wrong, lambda row: f"{_name(rounds, row)} cannot stand where it does as it does")


def _check_sums(rounds: Frame, findings: Findings) -> None:
    """`rounds-sum-to-zero`: what the participants of a round receive is what the others pay."""
    starts, net = _starts(rounds), rounds.ints("net_fen")
    if not len(starts):
        return
    # halves apart, so that no sum overflows
    high, low = np.add.reduceat(net >> 32, starts), np.add.reduceat(net & 0xFFFFFFFF, starts)
    findings.where(
        SUM,
        (high << 32) + low != 0,
        lambda k: (
            f"the nets of round {rounds.text('round', int(starts[k]))} make {(int(high[k]) << 32) + int(low[k])} fen"
        ),
    )


def releases(manifest: Any, events: Frame | None) -> Ints | None:
    """Instants from which SAPS takes nets that were held, ms; None if the manifest has no timetable.

    08:30 and the opening of each business date, and whatever NETS itself tells of, such as the end of a link loss.
    """
    told = manifest.get("timetable") if isinstance(manifest, Mapping) else None
    if not isinstance(told, list) or not told:
        return None
    first = dt.date.fromisoformat(told[0]["date"])
    instants = []
    for day in told:
        midnight = (dt.date.fromisoformat(day["date"]) - first).days * MS_PER_DAY
        instants += [midnight + _MORNING_MS, int(day["opens_ms"])]
    own = np.zeros(0, np.int64)
    if events is not None and events.has("subject", "kind", "time_ms"):
        restored = events.is_one_of("subject", System.NETS.value) & ~events.is_one_of("kind", "round")
        own = events.ints("time_ms")[restored]
    return np.unique(np.append(np.array(instants, np.int64), own))


def _check_posted(rounds: Frame, release_ms: Ints | None, findings: Findings) -> None:
    """`rounds-posted`: the nets of a round are sent together, oldest round first, when it takes place or at a release;
    who receives is paid at once, who pays not before; what was sent was posted, and nothing else."""
    number, time_ms = rounds.ints("round"), rounds.ints("time_ms")
    sent_ms, settled_ms = rounds.ints("sent_ms"), rounds.ints("settled_ms")
    sent, settled = sent_ms != NULL, settled_ms != NULL
    wrong = sent != settled
    wrong |= sent & (sent_ms < time_ms)
    wrong |= settled & (settled_ms < sent_ms)
    wrong |= sent & (rounds.ints("net_fen") > 0) & (settled_ms != sent_ms)
    same = np.diff(number) == 0
    wrong[1:] |= np.where(same, np.diff(sent_ms) != 0, sent[1:] & (~sent[:-1] | (sent_ms[1:] < sent_ms[:-1])))
    if release_ms is not None:
        wrong |= sent & (sent_ms > time_ms) & ~np.isin(sent_ms, release_ms)
    findings.where(
        POSTED,
        wrong,
        lambda row: (
            f"{_name(rounds, row)} at {format_clock(int(time_ms[row]))} was sent at "
            f"{_clock(int(sent_ms[row]))} and posted at {_clock(int(settled_ms[row]))}"
        ),
    )


def _clock(time_ms: int) -> str:
    return "no time" if time_ms == NULL else format_clock(time_ms)


def _check_match(rounds: Frame, transfers: Frame, findings: Findings) -> None:
    """`rounds-match-transfers`: every net that was posted has a transfer of its own, of kind `net`, in its amount, at
    its instant, between the participant and the central bank's netting account (轧差清算)."""
    own = hash_text(pa.array([CentralBankAccount.NETTING.value]))[0]
    posted = np.flatnonzero(rounds.known("settled_ms"))
    participant = _hashes(rounds, "participant")[posted]
    net = rounds.ints("net_fen")[posted]
    paid = net < 0
    debtor, creditor = np.where(paid, participant, own), np.where(paid, own, participant)
    left = chain(debtor, creditor, np.abs(net), rounds.ints("settled_ms")[posted])
    made = np.flatnonzero(transfers.is_one_of("kind", TransferKind.NET) & transfers.known("payment_id"))
    right = chain(
        _hashes(transfers, "debtor")[made],
        _hashes(transfers, "creditor")[made],
        transfers.ints("amount_fen")[made],
        transfers.ints("time_ms")[made],
    )
    alone = posted[without_partner(left, right)]
    findings.breaches(MATCH, len(alone), lambda k: f"{_name(rounds, int(alone[k]))} was posted without a transfer")


def _hashes(frame: Frame, column: str) -> Hashes:
    words, codes = frame.field(column)
    return words[codes]


def round_nets(rounds: Frame) -> dict[int, dict[str, int]]:
    """The nets of each round by participant, fen."""
    codes, names = rounds.texts("participant")
    nets: dict[int, dict[str, int]] = {}
    for number, code, fen in zip(
        rounds.ints("round").tolist(), codes.tolist(), rounds.ints("net_fen").tolist(), strict=True
    ):
        if code >= 0:
            nets.setdefault(number, {})[names[code]] = fen
    return nets
