"""Replay: a small run as a list of frames, one for everything that happens to a payment or a balance.

A frame is what a lecturer points at: a payment joins a queue, a credit lets one go, a matching looks at the queues and
settles several at once. Balances come from the transfers in posting order, so that every frame adds up to the fen; the
central bank's own accounts are one node without a balance.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from cnaps_sim.analysis.drawing import plural
from cnaps_sim.analysis.happenings import Happening, Kind, happenings, look_words, rows_of_ids
from cnaps_sim.analysis.metrics.columns import Columns, Run, remembered, table_of
from cnaps_sim.analysis.metrics.liquidity import accounts_of
from cnaps_sim.analysis.metrics.payments import CANCELLED, REJECTED, RETURNED, Payments, payments_of
from cnaps_sim.words.codes import Cause
from cnaps_sim.words.errors import InputError
from cnaps_sim.words.units import format_fen

#: More do not fit a screen, or a lecture.
MOST_ACCOUNTS: Final = 30
MOST_FRAMES: Final = 500
#: The place of the central bank in `Move` and `Waiting`.
CENTRAL_BANK: Final = -1
_SMALLER: Final = f"a run of at most {MOST_ACCOUNTS} accounts and {MOST_FRAMES} events"


class Waiting(NamedTuple):
    """A payment in a settlement queue: its id, places of debtor and creditor, fen."""

    payment_id: str
    debtor: int
    creditor: int
    fen: int


class Move(NamedTuple):
    """Money that moves: places of debtor and creditor, fen."""

    debtor: int
    creditor: int
    fen: int


@dataclass(frozen=True)
class Frame:
    """One picture: the state after something happened.

    time_ms:  of the run
    kind:     open, wait, settle, release, look (a matching looks), match (it settles), move, leave, end
    english, chinese: what happened
    balances: of every account, fen
    waiting:  payments in the queues, in the order in which they joined
    moved:    what was posted
    marked:   ids of waiting payments that the frame is about
    settled:  payments settled so far
    """

    time_ms: int
    kind: str
    english: str
    chinese: str
    balances: tuple[int, ...]
    waiting: tuple[Waiting, ...]
    moved: tuple[Move, ...] = ()
    marked: frozenset[str] = frozenset()
    settled: int = 0


@dataclass(frozen=True)
class Replay:
    """A run as frames; `accounts` and `names` are in the order of the balances."""

    name: str
    question: str
    date: str
    accounts: tuple[str, ...]
    names: tuple[str, ...]
    frames: tuple[Frame, ...]

    @property
    def has_central_bank(self) -> bool:
        """Whether the central bank takes part in anything."""
        moved = {place for frame in self.frames for move in frame.moved for place in (move.debtor, move.creditor)}
        queued = {place for frame in self.frames for item in frame.waiting for place in (item.debtor, item.creditor)}
        return CENTRAL_BANK in moved | queued


def replay(run: Run) -> Replay:
    """The frames of a small run. InputError if it has more accounts or events than a screen shows."""
    run = remembered(run)
    scenario = getattr(run, "scenario", None) or {}
    stage = _Stage(run)
    frames = tuple(stage.frames())
    return Replay(
        str(scenario.get("name") or "run"), str(scenario.get("question") or ""), str(run.manifest.get("date") or ""),
        tuple(stage.accounts), tuple(stage.names), frames,
    )  # fmt: skip


class _Posting(NamedTuple):
    time: int
    debtor: str
    creditor: str
    fen: int
    kind: str
    row: int | None  # of the payment
    matching: int | None


@dataclass
class _Stage:
    """Balances and queues while the frames are made."""

    run: Run
    accounts: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        table = accounts_of(self.run)
        date, account, name = table.numbers("date"), table.codes("account"), table.codes("name")
        opening, self.balances = table.numbers("opening_fen"), list[int]()
        for row in range(table.count):
            if date[row] == date.min() and table.participant[row]:
                label = str(account.labels[account.codes[row]])
                self.accounts.append(label)
                self.names.append(str(name.labels[name.codes[row]]) if name.codes[row] >= 0 else label)
                self.balances.append(int(opening[row]))
        if len(self.accounts) > MOST_ACCOUNTS:
            raise InputError("run", "accounts", "are too many to animate", len(self.accounts), _SMALLER)
        self.place = {label: place for place, label in enumerate(self.accounts)}
        self.payments: Payments = payments_of(self.run)
        self.postings = _postings(self.run, self.payments, len(self.accounts))
        self.matchings = Columns("matchings", self.run.table("matchings"))
        shown = [one for one in happenings(self.run, self.payments) if one.kind is not Kind.EVENT]
        if len(shown) > MOST_FRAMES:
            raise InputError("run", "events", "are too many to animate", len(shown), _SMALLER)
        self.happenings = shown
        self.ids: list[str] = self.payments.table.column("payment_id").to_pylist()
        self.waiting: dict[int, Waiting] = {}
        self.settled = 0

    def frames(self) -> Iterator[Frame]:
        """All frames, from the opening to the end."""
        times = [one.time_ms for one in self.happenings]
        money = format_money(sum(self.balances))
        told = f"The day opens: {plural(len(self.accounts), 'account')} hold {money}"
        yield self._frame(min(times, default=0), "open", told, "营业日开始")
        place = 0
        while place < len(self.happenings):
            group = self._group(place)
            yield self._post(group) if group else self._happen(self.happenings[place])
            place += max(1, len(group))
        left = plural(len(self.waiting), "payment")
        told = f"The day ends: {plural(self.settled, 'payment')} settled, {left} still waiting"
        yield self._frame(max(times, default=0), "end", told, "营业日结束")

    def _group(self, place: int) -> list[_Posting]:
        """The posting at a place, or all of one matching that stand together; none if there is no posting."""
        group: list[_Posting] = []
        for one in itertools.islice(self.happenings, place, None):
            if one.kind is not Kind.POSTING:
                break
            posting = self.postings[one.row]
            if group and (posting.matching is None or posting.matching != group[0].matching):
                break
            group.append(posting)
        return group

    def _word(self, row: int) -> str | None:
        column = self.payments.codes("released_by")
        return None if column.codes[row] < 0 else str(column.labels[column.codes[row]])

    def _happen(self, one: Happening) -> Frame:
        if one.kind is Kind.LOOK:
            return self._look(one)
        item = self._item(one.row)
        who, whom, money = self._who(item.debtor), self._who(item.creditor), format_money(item.fen)
        if one.kind is Kind.ARRIVAL:
            holds = "" if item.debtor == CENTRAL_BANK else f", holds {format_money(self.balances[item.debtor])}"
            behind = self._behind(one.row, item)
            self.waiting[one.row] = item
            told = f"{item.payment_id}: {who} owes {whom} {money}{holds}: it waits{behind}"
            return self._frame(one.time_ms, "wait", told, "进入清算排队", marked=frozenset({item.payment_id}))
        self.waiting.pop(one.row, None)
        english, chinese = {
            REJECTED: ("is refused", "拒绝"), RETURNED: ("is sent back at the close", "退回"),
            CANCELLED: ("is cancelled", "撤销"),
        }[int(self.payments.outcome[one.row])]  # fmt: skip
        return self._frame(one.time_ms, "leave", f"{item.payment_id}: {who} to {whom}, {money}, {english}", chinese)

    def _behind(self, row: int, item: Waiting) -> str:
        """What stands before a payment that its debtor could pay."""
        if item.debtor == CENTRAL_BANK or self.balances[item.debtor] < item.fen:
            return ""
        level = self.payments.numbers("level")
        before = (
            other.payment_id
            for place, other in self.waiting.items()
            if other.debtor == item.debtor and level[place] <= level[row]
        )
        ahead = next(before, None)
        return "" if ahead is None else f" behind {ahead}"

    def _look(self, one: Happening) -> Frame:
        number = int(self.matchings.numbers("matching")[one.row])
        chosen = [posting for posting in self.postings if posting.matching == number]
        marked = frozenset(self.ids[posting.row] for posting in chosen if posting.row is not None)
        told = look_words(self.matchings, one.row, len(marked))
        return self._frame(one.time_ms, "look", told, "排队撮合", marked=marked)

    def _post(self, group: list[_Posting]) -> Frame:
        """The frame of a posting, or of a whole matching."""
        moves = []
        for posting in group:
            move = Move(self._place(posting.debtor), self._place(posting.creditor), posting.fen)
            moves.append(move)
            for place, fen in ((move.debtor, -move.fen), (move.creditor, move.fen)):
                if place != CENTRAL_BANK:
                    self.balances[place] += fen
            if posting.row is not None:
                self.waiting.pop(posting.row, None)
                self.settled += 1
        first = group[0]
        if first.matching is not None:
            money = format_money(sum(posting.fen for posting in group))
            told = f"Matching {first.matching} settles {plural(len(group), 'payment')} together: {money}"
            return self._frame(first.time, "match", told, "撮合成功，同时清算", tuple(moves))
        return self._single(first, moves[0])

    def _single(self, posting: _Posting, move: Move) -> Frame:
        who, whom, money = self._who(move.debtor), self._who(move.creditor), format_money(move.fen)
        if posting.row is None:
            told = f"{posting.kind.replace('_', ' ').capitalize()}: {who} to {whom}, {money}"
            return self._frame(posting.time, "move", told, "资金划拨", (move,))
        name, word = self.ids[posting.row], self._word(posting.row)
        if word is None:
            told = f"{name}: {who} pays {whom} {money} immediately"
            return self._frame(posting.time, "settle", told, "即时清算", (move,))
        by = "new money" if word == Cause.INJECTION.word else word
        told = f"{name} leaves the queue: {who} pays {whom} {money}; released by {by}"
        return self._frame(posting.time, "release", told, "解除排队，完成清算", (move,))

    def _item(self, row: int) -> Waiting:
        debtor, creditor = self.payments.codes("debtor"), self.payments.codes("creditor")
        payer, payee = (self._place(str(column.labels[column.codes[row]])) for column in (debtor, creditor))
        return Waiting(self.ids[row], payer, payee, int(self.payments.amount[row]))

    def _place(self, account: str) -> int:
        return self.place.get(account, CENTRAL_BANK)

    def _who(self, place: int) -> str:
        return "PBC" if place == CENTRAL_BANK else self.accounts[place]

    def _frame(
        self, time: int, kind: str, english: str, chinese: str, moved: tuple[Move, ...] = (),
        marked: frozenset[str] = frozenset(),
    ) -> Frame:  # fmt: skip
        waiting = tuple(self.waiting.values())
        return Frame(time, kind, english, chinese, tuple(self.balances), waiting, moved, marked, self.settled)


def _postings(run: Run, payments: Payments, accounts: int) -> list[_Posting]:
    """The transfers in posting order. InputError if the run did not keep them, or has too many."""
    table = table_of(run, "transfers")
    if table.num_rows > MOST_FRAMES:
        raise InputError("run", "events", "are too many to animate", table.num_rows, _SMALLER)
    assert accounts <= MOST_ACCOUNTS
    row_of = rows_of_ids(payments)
    return [
        _Posting(row["time_ms"], row["debtor"], row["creditor"], row["amount_fen"], row["kind"],
                 row_of.get(row["payment_id"]), row["matching"])
        for row in table.to_pylist()
    ]  # fmt: skip


def format_money(fen: int) -> str:
    """CNY with thousands marked off: `1,250`, `-0.50`."""
    whole, _, cents = format_fen(abs(fen)).partition(".")
    return ("-" if fen < 0 else "") + f"{int(whole):,}" + (f".{cents}" if cents.strip("0") else "")
