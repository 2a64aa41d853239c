"""Steps: a small run event by event, with balances and queues before and after each, for the lecture room.

Everything is told from the stored tables, in the order of `happenings`.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from cnaps_sim.analysis.happenings import Kind, happenings, look_words, rows_of_ids
from cnaps_sim.analysis.metrics.columns import Columns, table_of
from cnaps_sim.analysis.metrics.payments import OUTCOMES, Payments, payments_of
from cnaps_sim.analysis.phrases import cny
from cnaps_sim.run.store import Run, load
from cnaps_sim.words.errors import InputError
from cnaps_sim.words.units import format_clock, parse_fen

#: More payments than this are no matter for a lecture room.
MOST_PAYMENTS: Final = 2_000
#: How an event writes an amount of money.
_AMOUNT: Final = re.compile(r"(-?[0-9]+\.[0-9]{2}) CNY\b")


@dataclass(frozen=True)
class Step:
    """One thing that happened; money in fen, time in ms of the run.

    kind: transfer, queued, refused, returned, cancelled, matching, or the kind of an event (phase, action, ...)
    accounts: those whose balance or queue it changes; balances and queues (payment ids, head first, by level and order
    of arrival) are of every account that the run's payments touch, before and after the step
    """

    number: int
    time_ms: int
    kind: str
    subject: str
    sentence: str
    accounts: list[str]
    balances_before: dict[str, int]
    balances_after: dict[str, int]
    queues_before: dict[str, list[str]]
    queues_after: dict[str, list[str]]

    def as_dict(self) -> dict[str, Any]:
        """The step as `step --json` prints it."""
        return asdict(self)


@dataclass
class _Desk:
    """Balances and queues as the steps told so far leave them."""

    balances: dict[str, int]
    queues: dict[str, list[tuple[int, int, str]]] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)

    def ids(self) -> dict[str, list[str]]:
        return {account: [item[2] for item in sorted(queue)] for account, queue in self.queues.items() if queue}

    def tell(self, time_ms: int, kind: str, subject: str, sentence: str, accounts: list[str], act: Any = None) -> None:
        """One step; `act` changes balances and queues."""
        balances, queues = dict(self.balances), self.ids()
        if act is not None:
            act()
        step = Step(
            len(self.steps) + 1, time_ms, kind, subject, sentence, accounts,
            balances, dict(self.balances), queues, self.ids(),
        )  # fmt: skip
        self.steps.append(step)


def steps(run: str | Path | Run) -> list[Step]:
    """Every step of a small run, in order.

    InputError for a run with more than `MOST_PAYMENTS` payments, or one that did not record them.
    """
    run = run if isinstance(run, Run) else load(run)
    for name in ("payments", "transfers", "accounts"):
        table_of(run, name)
    count = sum(int(told["count"]) for told in run.manifest.get("items", {}).values())
    if count > MOST_PAYMENTS:
        raise InputError("run", "payments", "too many to walk through", f"{count:,}", f"up to {MOST_PAYMENTS:,}")
    payments = payments_of(run)
    desk = _Desk(_opening(run, payments))
    _tell(run, payments, desk)
    return desk.steps


def _opening(run: Run, payments: Payments) -> dict[str, int]:
    """Opening balances of the first date, of the accounts that something is posted to or wanted from."""
    accounts = run.table("accounts").select(["account", "opening_fen"]).to_pylist()
    transfers = run.table("transfers")
    touched: set[str] = set()
    for table in (payments.table, transfers):
        for side in ("debtor", "creditor"):
            touched |= set(table[side].to_pylist())
    opening: dict[str, int] = {}
    for row in accounts:
        if row["account"] in touched:
            opening.setdefault(row["account"], int(row["opening_fen"]))
    return opening


def _tell(run: Run, payments: Payments, desk: _Desk) -> None:
    """Tell everything that happened."""
    rows = payments.table.to_pylist()
    of_id = rows_of_ids(payments)
    events, transfers = run.table("events").to_pylist(), run.table("transfers").to_pylist()
    matchings = Columns("matchings", run.table("matchings"))
    for one in happenings(run, payments):
        if one.kind is Kind.EVENT:
            _tell_event(desk, events[one.row])
        elif one.kind is Kind.ARRIVAL:
            _tell_queued(desk, rows[one.row], one.row)
        elif one.kind is Kind.POSTING:
            transfer = transfers[one.row]
            _tell_transfer(desk, transfer, of_id.get(transfer["payment_id"]), rows)
        elif one.kind is Kind.DEPARTURE:
            _tell_gone(desk, rows[one.row], one.row, OUTCOMES[payments.outcome[one.row]])
        else:
            number = int(matchings.numbers("matching")[one.row])
            chosen = sum(transfer["matching"] == number and transfer["payment_id"] in of_id for transfer in transfers)
            desk.tell(one.time_ms, "matching", str(number), look_words(matchings, one.row, chosen), [])


def _tell_event(desk: _Desk, event: dict[str, Any]) -> None:
    accounts = [event["subject"]] if event["subject"] in desk.balances else []
    detail = _AMOUNT.sub(lambda found: cny(parse_fen(found[1])), event["detail"])
    words = f"{event['subject']}: {detail}"
    desk.tell(event["time_ms"], event["kind"], event["subject"], words, accounts)


def _words(row: dict[str, Any]) -> str:
    return f"{cny(row['amount_fen'])} from {row['debtor']} to {row['creditor']}"


def _tell_transfer(desk: _Desk, transfer: dict[str, Any], at: int | None, rows: list[dict[str, Any]]) -> None:
    debtor, creditor, amount = transfer["debtor"], transfer["creditor"], transfer["amount_fen"]

    def act() -> None:
        for account, fen in ((debtor, -amount), (creditor, amount)):
            desk.balances[account] = desk.balances.get(account, 0) + fen
        if at is not None:
            _leave(desk, rows[at], at)

    name = transfer["payment_id"] or transfer["kind"]
    released = None if at is None else rows[at]["released_by"]
    why = f", released by {released}" if released else ""
    sentence = f"{name} is posted: {_words(transfer)}{why}"
    desk.tell(transfer["time_ms"], "transfer", name, sentence, list(dict.fromkeys([debtor, creditor])), act)


def _leave(desk: _Desk, row: dict[str, Any], at: int) -> None:
    queue = desk.queues.get(row["debtor"], [])
    queue[:] = [item for item in queue if item[1] != at]


def _tell_queued(desk: _Desk, row: dict[str, Any], at: int) -> None:
    level = row["level"]

    def act() -> None:
        desk.queues.setdefault(row["debtor"], []).append((level, at, row["payment_id"]))

    sentence = f"{row['payment_id']} has to wait: {_words(row)}, at level {level}"
    desk.tell(row["submitted_ms"], "queued", row["payment_id"], sentence, [row["debtor"]], act)


def _tell_gone(desk: _Desk, row: dict[str, Any], at: int, outcome: str) -> None:
    kind = "refused" if outcome == "rejected" else outcome
    why = "".join(f", {row[name]}" for name in ("reason", "reason_iso") if row[name])
    ended_ms = int(row["ended_ms"])
    sentence = f"{row['payment_id']} is {kind}: {_words(row)}{why}"
    desk.tell(ended_ms, kind, row["payment_id"], sentence, [row["debtor"]], lambda: _leave(desk, row, at))


def step_lines(step: Step) -> list[str]:
    """A step for a person: what happened, then balance and queue of each account that it concerns."""
    lines = [f"{step.number}. {format_clock(step.time_ms)} {step.kind}: {step.sentence}"]
    for account in step.accounts:
        before, after = step.balances_before.get(account), step.balances_after.get(account)
        money = cny(after or 0) if before == after else f"{cny(before or 0)} -> {cny(after or 0)}"
        queued = [", ".join(queues.get(account, [])) or "none" for queues in (step.queues_before, step.queues_after)]
        queue = queued[1] if queued[0] == queued[1] else f"{queued[0]} -> {queued[1]}"
        lines.append(f"   {account}: balance {money}; queue {queue}")
    return lines
