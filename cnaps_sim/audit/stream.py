"""The audit of the stream: re-checks what the books did while a run goes on, chunk by chunk.

The auditor is told what the books are told (the flow, the bookings, limits, controls, phases) and reads their
log. From these it keeps its own balances and its own picture of what waits, and compares. It shares no code
with the books. Earmarks and reservations are re-checked where one account gives to another: that a payment should
have been stopped by them is not seen here.

Tell everything in the order in which it happens: drain the log to `see_log` before whatever `told` offers,
`see_balances` and `end_of_day`, and announce payments (`see_flow`, `see_bookings`, `see_moves`) before the log entries
about them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cnaps_sim.audit.blocks import Blocks, block_start, check_waiting, stretches
from cnaps_sim.audit.entries import Entries, Ints, read_entries
from cnaps_sim.audit.in_force import Change, InForce
from cnaps_sim.audit.limits import Limits
from cnaps_sim.audit.loans import LOAN_EVENTS
from cnaps_sim.audit.move_rows import MoveRows
from cnaps_sim.audit.moves import Moves
from cnaps_sim.audit.open_payments import TERMS, OpenPayments, Rows
from cnaps_sim.audit.overdraw import post_settled
from cnaps_sim.audit.queues import EXEMPT, Queues
from cnaps_sim.audit.standing import Standing
from cnaps_sim.audit.told import Told, ToolTerms
from cnaps_sim.audit.verdict import Verdict
from cnaps_sim.words.codes import HVPS_LEVELS, Act, Cause, Discipline, Level, MoveKind, Phase, TransferKind
from cnaps_sim.words.units import format_clock, format_fen

#: Log entries examined at a time, up to twice as many: enough for array speed, few enough for the cache.
STRETCH: Final = 1 << 16
#: Phase of the business day before the auditor is told one.
_UNKNOWN_PHASE: Final = -1

_IS_HVPS: Final = np.isin(np.arange(len(Level)), HVPS_LEVELS)

#: A booking of the central bank: sequence, debtor, creditor, amount in fen, level, kind (`codes.TransferKind`).
Booking = tuple[int, int, int, int, int, str]


class AccountTerms(NamedTuple):
    """The accounts at the start of a run, one array element per account row; money in fen.

    central_bank: marks the central bank's own accounts, which may be overdrawn without limit
    names: for sentences; without them accounts are called by their row
    """

    opening: NDArray[np.int64]
    overdraft_limit: NDArray[np.int64]
    central_bank: NDArray[np.bool_]
    floor: NDArray[np.int64] | None = None
    names: Sequence[str] = ()


class StreamAuditor(Told):
    """Re-checks a run's stream of outcomes; `finish` says what it found.

    accounts:      the accounts as they open
    discipline:    what the books do with a payment that cannot be funded
    sequence_kept: whether the matching algorithm takes payments from the head of each account's queue (levels 6,
                   then 7) without leaving any out; asked of matchings that settle at the instant they choose
    matching_ms:   how long a matching takes from choosing to settling, ms
    limits:        bilateral limits: (account row that pays, account row that is paid, fen)
    tools:         pools, pledges and what accounts keep; None where nothing moves money by itself
    """

    def __init__(
        self,
        accounts: AccountTerms,
        discipline: Discipline = Discipline.FIFO,
        sequence_kept: bool = False,
        matching_ms: int = 0,
        limits: Sequence[tuple[int, int, int]] = (),
        tools: ToolTerms | None = None,
    ) -> None:
        super().__init__()
        count = len(accounts.opening)
        self._balance: Ints = np.array(accounts.opening, np.int64)
        self._total = _exact_sum(self._balance)
        self._central = np.array(accounts.central_bank, np.bool_)
        self._names = list(accounts.names) or [f"account {row}" for row in range(count)]
        self._force: dict[str, Ints] = {
            "overdraft_limit": np.array(accounts.overdraft_limit, np.int64),
            "floor": np.zeros(count, np.int64) if accounts.floor is None else np.array(accounts.floor, np.int64),
            "held": np.zeros(count, np.int64),
            **(ToolTerms() if tools is None else tools).in_force(count),
        }
        self._moves = Moves(tools, self._central, self._names, discipline)
        self._phase = _UNKNOWN_PHASE
        self._payments = OpenPayments()
        fifo = discipline != Discipline.BYPASS
        self._queues = Queues(count, self._names, fifo, sequence_kept, takes_time=matching_ms > 0)
        self._blocks = Blocks()
        self._limits = Limits(limits, self._names)
        self._log: list[Rows] = []
        self._latest_ms: int | None = None

    # what the books are told --------------------------------------------------------------------------------

    def see_flow(self, rows: Rows, first_sequence: int) -> None:
        """A chunk of a flow (fields of `core.records.FLOW`), row r having sequence `first_sequence` + r.

        The rows must not change until the books have acted on all of them.
        """
        self._findings.made("nothing-from-nothing")
        known = self._payments.announce_flow(rows, int(first_sequence))
        self._note_known(known, f"the flow from payment {first_sequence} on")
        count = len(self._balance)
        real = (rows["level"] >= 0) & (rows["level"] < len(Level))
        for side in ("debtor", "creditor"):
            real &= (rows[side] >= 0) & (rows[side] < count)
        self._findings.where(
            "nothing-from-nothing",
            ~real & (rows["refusal"] == 0),
            lambda row: f"payment {first_sequence + row} names an account row or a level that does not exist",
        )

    def see_bookings(self, bookings: Iterable[Booking]) -> None:
        """Bookings of the central bank: (sequence, debtor, creditor, amount in fen, level, kind)."""
        for sequence, debtor, creditor, amount, level, kind in bookings:
            terms = np.zeros(1, TERMS)
            terms["sequence"], terms["amount"], terms["level"] = sequence, amount, level
            terms["debtor"], terms["creditor"] = debtor, creditor
            terms["time_ms"] = np.iinfo(np.int64).min
            terms["standing"] = Standing.ANNOUNCED
            self._note_known(self._payments.announce_bookings(terms), f"booking {sequence}")
            granted = kind in (TransferKind.PENALTY, TransferKind.INJECTION)
            if granted and not (0 <= debtor < len(self._central) and self._central[debtor]):
                self._findings.breach(
                    "nothing-from-nothing", f"booking {sequence} ({kind}) is not paid by the central bank"
                )

    def see_moves(self, moves: Rows) -> None:
        """Transfers that rules made by themselves (fields of `core.records.MOVE`), ascending by sequence."""
        self._moves.announce(moves, self._findings)
        terms = np.zeros(len(moves), TERMS)
        for name in ("sequence", "amount", "debtor", "creditor"):
            terms[name] = moves[name]
        terms["level"] = int(Level.ONE_SIDED)
        terms["time_ms"] = np.iinfo(np.int64).min
        terms["standing"] = Standing.ANNOUNCED
        for part in np.split(terms, np.flatnonzero(np.diff(terms["sequence"]) != 1) + 1):
            self._note_known(self._payments.announce_bookings(part), f"move {part['sequence'][0]}")

    def _note_known(self, count: int, what: str) -> None:
        if count:
            self._findings.breaches("nothing-from-nothing", count, lambda _: f"{what} was announced before")

    # what the books did -------------------------------------------------------------------------------------

    def see_log(self, log: Rows) -> None:
        """Log entries in the order written (fields sequence, time_ms, cause, act, refusal, level).

        The array must not change until the next `see_balances`, `end_of_day` or `finish`.
        """
        if len(log):
            self._log.append(log)
            self._entries += len(log)
        if self._entries >= STRETCH:
            self._examine_pending(everything=False)

    def see_balances(self, time_ms: int, balances: NDArray[np.int64], waiting_count: int) -> None:
        """The books' own balances (fen, by account row) and the number of payments in all settlement queues.

        `money-conserved`: the sum of all accounts, the central bank's own included, is what it was at the start.
        `balances-agree`: each balance is what the postings make of the opening balance.
        `counts-agree`: as many payments wait as entered a queue and did not leave it.
        """
        self._examine_pending(everything=True)
        findings, clock = self._findings, format_clock(int(time_ms))
        findings.made("money-conserved", "counts-agree")
        total = _exact_sum(balances)
        if total != self._total:
            at_first = format_fen(self._total)
            findings.breach("money-conserved", f"at {clock} all accounts hold {format_fen(total)} CNY, not {at_first}")
        findings.where(
            "balances-agree",
            np.asarray(balances) != self._balance,
            lambda row: (
                f"{self._names[row]} holds {format_fen(int(balances[row]))} CNY at {clock} where its postings "
                f"make {format_fen(int(self._balance[row]))}"
            ),
        )
        own_count = int(self._queues.waiting.sum())
        if own_count != waiting_count:
            findings.breach("counts-agree", f"at {clock} the books count {waiting_count} waiting, the log {own_count}")

    def end_of_day(
        self,
        time_ms: int,
        balances: NDArray[np.int64],
        waiting_count: int,
        pledged: NDArray[np.int64] | None = None,
        earmark: NDArray[np.int64] | None = None,
    ) -> None:
        """A business date is over; arguments as for `see_balances`. The next one begins, also for bilateral limits.

        pledged: principal of the pledge loans of each account; earmark: what the close has left of each (both fen);
            where there are liquidity tools

        `queue-empty-after-day`: no queue holds anything.
        `no-overnight-overdraft`: no account but the central bank's own is below zero.
        """
        self.see_balances(time_ms, balances, waiting_count)
        self._limits.start_day()
        if pledged is not None:
            self._moves.loans.check_books(int(time_ms), pledged, self._findings)
        if earmark is not None:
            self._force["earmark"] = np.array(earmark, np.int64)
        clock = format_clock(int(time_ms))
        waiting = self._queues.waiting.reshape(-1, len(Level)).sum(axis=1)
        self._findings.where(
            "queue-empty-after-day",
            waiting != 0,
            lambda row: f"{waiting[row]} payments of {self._names[row]} still wait at {clock}",
        )
        if waiting_count and not waiting.any():
            self._findings.breach("queue-empty-after-day", f"the books count {waiting_count} waiting at {clock}")
        lowest = np.minimum(balances, self._balance)
        self._findings.where(
            "no-overnight-overdraft",
            (lowest < 0) & ~self._central,
            lambda row: f"{self._names[row]} ends the day at {clock} with {format_fen(int(lowest[row]))} CNY",
        )

    def finish(self, stopped: bool = False) -> Verdict:
        """Everything found. `stopped`: the run was broken off, so payments may stand anywhere.

        `one-final-state`: every announced payment was acted on, and had one final act at most.
        """
        self._examine_pending(everything=True)
        self._findings.made("one-final-state")
        if not stopped:
            self._tell_unfinished(Standing.ANNOUNCED)
            self._tell_unfinished(Standing.SUBMITTED)
        return self._findings.verdict()

    def _tell_unfinished(self, standing: Standing) -> None:
        left = self._payments.standing.all_in(standing)
        count = self._payments.standing.count(standing)
        self._findings.breaches(
            "one-final-state", count, lambda _: f"payment {next(left)} was {standing.words} and nothing more"
        )

    # examination --------------------------------------------------------------------------------------------

    def _examine_pending(self, everything: bool) -> None:
        """Examine the pending log.

        Unless `everything` is due, a block that may go on and a change later than all of it stay pending.
        """
        pieces, changes = self._log, self._changes
        length = self._entries
        self._log, self._entries, self._changes = [], 0, []
        places = [change.entry for change in changes]
        if pieces:
            log = pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
            places = _places(changes, log)
            cause = log["cause"]
            if not everything:
                length = block_start(cause, len(log))
                if length < len(log):
                    self._log, self._entries = [log[length:]], len(log) - length
            for start, stop in stretches(cause, length, STRETCH, partial(self._moves.start_of_group, log)):
                within = [(p - start, c) for p, c in zip(places, changes, strict=True) if start <= p < stop]
                self._examine(log[start:stop], within)
        for place, change in zip(places, changes, strict=True):
            if place >= length and everything:
                self._apply(change)
            elif place >= length:
                self._changes.append(change._replace(entry=place - length))

    def _apply(self, change: Change) -> None:
        if change.what == "phase":
            self._phase = change.value
        elif change.what == "limit":
            self._limits.change(change.account, change.towards, change.value)
        elif change.what in LOAN_EVENTS:
            self._moves.loans.change(change)
        else:
            self._force[change.what][change.account] = change.value

    def _examine(self, log: Rows, changes: list[tuple[int, Change]]) -> None:
        """One stretch of the log; each change holds from the given entry on."""
        findings = self._findings
        self._check_time_order(log)
        self._blocks.see(log, findings)
        entries = read_entries(log, self._payments, len(self._balance), findings)
        matching = entries.matching()
        force = InForce(entries, self._force, self._phase, changes)
        self._check_hours(entries, force)
        moves = self._moves.find(entries)
        self._check_control(entries, force, moves)
        check_waiting(entries, matching, findings)
        replay = post_settled(self._balance, entries, force, matching, self._central, self._names, findings)
        self._balance = replay.closing()
        self._moves.see(moves, entries, force, replay, self._queues.waiting, findings)
        of_limits = [(place, change) for place, change in changes if change.what == "limit"]
        self._limits.see(entries, matching, findings, of_limits)
        self._queues.see(entries, force.held, matching, self._payments, findings)
        self._payments.update(entries.terms, entries.terms_before)
        for _, change in [*changes, *force.told("earmark")]:  # once more, with what the log shows
            if change.what != "limit" and change.what not in LOAN_EVENTS:  # applied where they came
                self._apply(change)

    def _check_time_order(self, log: Rows) -> None:
        """`log-in-time-order`: no entry is earlier than the one before it, or than the payment it is about."""
        times = np.ascontiguousarray(log["time_ms"])
        earlier = np.empty(len(times), np.bool_)
        earlier[0] = self._latest_ms is not None and times[0] < self._latest_ms
        np.less(times[1:], times[:-1], out=earlier[1:])
        self._latest_ms = int(times[-1])
        self._findings.where(
            "log-in-time-order",
            earlier,
            lambda k: f"the entry about {log['sequence'][k]} at {format_clock(int(times[k]))} follows a later one",
        )

    def _check_hours(self, entries: Entries, force: InForce) -> None:
        """`settled-in-hours`: HVPS payments settle in daytime or in the clearing window and queue in daytime.

        What already waits may also settle at cut-off; a special session takes only special payments.
        """
        hvps, arriving, settled = _IS_HVPS[entries.level], entries.on_arrival(), entries.settled()
        phase = force.phase >> 1
        daytime = phase == Phase.DAYTIME
        open_ = daytime | (settled & (phase == Phase.CLEARING_WINDOW))
        open_ |= settled & ~arriving & (phase == Phase.CUT_OFF)
        open_ &= ~(arriving & daytime & ((force.phase & 1) == 1) & ~entries.special)
        acted = settled | (arriving & (entries.act == Act.QUEUED))
        self._findings.where(
            "settled-in-hours",
            acted & hvps & ~open_ & (force.phase != _UNKNOWN_PHASE),
            lambda k: (
                f"HVPS payment {entries.sequence[k]} settled or queued at {format_clock(int(entries.time_ms[k]))}, "
                f"in the phase of {Phase(int(phase[k])).name.lower().replace('_', ' ')}"
            ),
        )

    def _check_control(self, entries: Entries, force: InForce, moves: MoveRows) -> None:
        """`held-stay-held`: an account under debit control or frozen is debited at levels 0 and 3 alone.

        The central bank's lending at the close of the clearing window goes past controls, and so do repayments of
        its loans against pledges.
        """
        if not force.held.any():
            self._findings.made("held-stay-held")
            return
        clearing = (entries.cause == Cause.PENALTY) | (entries.cause == Cause.RETURN)
        clearing |= (entries.cause == Cause.CONTROL) & (force.phase >> 1 == Phase.CLEARING_WINDOW)
        wrong = entries.settled() & force.held & ~np.isin(entries.level, EXEMPT) & ~clearing
        wrong[moves.of(MoveKind.REPAYMENT, MoveKind.INTEREST).row] = False
        self._findings.where(
            "held-stay-held",
            wrong & ~self._central[entries.debtor],
            lambda k: (
                f"{self._names[entries.debtor[k]]} paid payment {entries.sequence[k]} at level {entries.level[k]} "
                f"at {format_clock(int(entries.time_ms[k]))} although its debits were held"
            ),
        )


def _places(changes: Sequence[Change], log: Rows) -> list[int]:
    """From which entry of the log on each change holds: not before it was told, and not before its time."""
    latest = np.maximum.accumulate(log["time_ms"])
    places = np.searchsorted(latest, [change.time_ms for change in changes])
    places = np.maximum(places, [change.entry for change in changes])
    ordered: list[int] = np.maximum.accumulate(places).tolist()
    return ordered


def _exact_sum(balances: NDArray[Any]) -> int:
    """A sum that cannot overflow."""
    return sum(np.asarray(balances).tolist())
