"""Tables with matchings: the words of the tables in `conftest`, and these.

    limit A B 30                             a bilateral limit: A may send B 30 more than it receives (setting)
    limit A all 30                           a multilateral limit: the same towards all others together

    considers 1 3 4                          (what a matching may choose from, in posting order; `considers nothing`)
    funds A 10 B 0                           (the one number per account for algorithms that know no levels)
    match 7 = 1 2                            (matching 7, multilateral: settles 1 and 2; `nothing` if none)
    match 7 of 2 3 = 2 3                     (these together or not at all: `blocked by A`)
    reserve = 1 2                            (a matching that takes time begins; `reserve of 2 3` likewise)
    finish 7 = 1 2                           (and ends, or is `blocked by A`)
    change_limit A B 20                      (a limit is set or changed; `none` removes it)
    limits A B 25                            (what A has sent B, or all, net)
    lines 2 100                              (watch lines of the queue: count, fen)
    stop_when_queued on

That the payments of a matching are logged first, in their order, under its number, is checked without being said;
what follows from it stands behind a comma, as for other acts.
"""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np

from cnaps_sim.core.records import ANYBODY
from cnaps_sim.words.codes import HVPS_LEVELS, MATCHING_CAUSE, Act, Answer, Phase

_TABLES = runpy.run_path(str(Path(__file__).with_name("conftest.py")))
Table: Any = _TABLES["Table"]
drained = _TABLES["drained"]
word = _TABLES["word"]


def open_rows(books: Any) -> dict[int, int]:
    """Ticket → sequence of the payments in a queue of participants; the tickets of the reference are sequences."""
    if isinstance(books.accounts, list):
        return {sequence: sequence for sequence in books.waiting}
    rows = [row for row, level in enumerate(books.payments["at_level"].tolist()) if level in HVPS_LEVELS]
    return {row: int(books.payments["sequence"][row]) for row in rows}


def sequences_of(books: Any, tickets: Any) -> list[int]:
    known = open_rows(books)
    return [known[int(ticket)] for ticket in tickets]


def tickets_of(books: Any, sequences: list[int]) -> Any:
    """Their tickets: a list for the reference, an array for the compiled books."""
    known = {sequence: ticket for ticket, sequence in open_rows(books).items()}
    tickets = [known[sequence] for sequence in sequences]
    return tickets if isinstance(books.accounts, list) else np.array(tickets, np.int64)


def spoken(sequences: list[int]) -> str:
    return " ".join(str(sequence) for sequence in sequences) or "nothing"


class MatchingTable(Table):  # type: ignore[misc]
    """A table that knows matchings and limits."""

    def __init__(self, books_class: Any) -> None:
        super().__init__(books_class)
        self.limits: list[tuple[int, int, int]] = []
        self.reserved: list[int] = []

    def play(self, text: str) -> Any:
        """Play the lines and answer the books as they are then."""
        for line in text.splitlines():
            if words := line.partition("#")[0].strip():
                self.step(words)
        return self.books

    def step(self, line: str) -> None:
        verb, *rest = line.split()
        if verb == "limit":
            assert self.books is None, f"{line}: the setting comes first"
            self.limits.append((*self._pair(*rest[:2]), int(rest[2])))
        elif verb in ("considers", "funds", "limits"):
            if self.books is None:
                self._open_books()
            getattr(self, f"_{verb}")(rest, line)
        else:
            super().step(line)

    def _open_books(self) -> None:
        self.books = self.books_class(
            self.terms, discipline=self.discipline, reprioritise=self.reprioritise, limits=self.limits
        )
        self.books.set_phase(Phase.DAYTIME)
        self.money = self._money()

    def _pair(self, debtor: str, creditor: str) -> tuple[int, int]:
        return self.rows[debtor], ANYBODY if creditor == "all" else self.rows[creditor]

    # Statements

    def _considers(self, rest: list[str], line: str) -> None:
        columns = self.books.matchable()
        found = sequences_of(self.books, columns.ticket)
        assert spoken(found) == " ".join(rest), f"{line}: {found}"
        assert self.books.matchable_totals() == (len(found), sum(columns.amount)), line
        assert [self.level[sequence] for sequence in found] == list(columns.level), line

    def _funds(self, rest: list[str], line: str) -> None:
        found = self.books.matchable().available
        for account, fen in zip(rest[::2], rest[1::2], strict=True):
            assert found[self.rows[account]] == int(fen), f"{line}: {list(found)}"

    def _limits(self, rest: list[str], line: str) -> None:
        pairs = [limit[:2] for limit in self.limits]
        found = self.books.snapshot()["limits"][pairs.index(self._pair(*rest[:2]))]
        assert found == int(rest[2]), f"{line}: {found}"

    # Acts

    def do_match(self, number: str, *named: str) -> Any:
        tickets, sequences = self._chosen(named)
        before = self.books.snapshot()
        blocking = self.books.settle_together(self.now, int(number), tickets)
        assert blocking < 0 or self.books.snapshot() == before, "a blocked matching changes nothing"
        return self._matched(blocking, int(number), sequences), None

    def do_reserve(self, *named: str) -> Any:
        tickets, sequences = self._chosen(named)
        before = self.books.snapshot()
        blocking = self.books.reserve_for_matching(tickets)
        if blocking >= 0:
            assert self.books.snapshot() == before, "a blocked matching changes nothing"
            return self._blocked(blocking), None
        assert self.books.snapshot()["books"]["matching_locked"] == len(sequences)
        self.reserved = sequences
        return spoken(sequences), None

    def do_finish(self, number: str) -> Any:
        blocking = self.books.settle_reserved(self.now, int(number))
        after = self.books.snapshot()
        assert after["books"]["matching_locked"] == 0
        assert not any(account["reserved_matching"] for account in after["accounts"])
        return self._matched(blocking, int(number), self.reserved), None

    def do_change_limit(self, debtor: str, creditor: str, fen: str) -> Any:
        pair = self._pair(debtor, creditor)
        answer = self.books.set_limit(self.now, *pair, None if fen == "none" else int(fen))
        if fen != "none" and pair not in [known[:2] for known in self.limits]:
            self.limits.append((*pair, int(fen)))
        return word(Answer(answer)), None

    def do_lines(self, count: str, fen: str) -> Any:
        self.books.set_queue_lines(int(count), int(fen))
        return None, None

    def do_stop_when_queued(self, on: str) -> Any:
        self.books.set_stop_when_queued(on == "on")
        return None, None

    def _chosen(self, named: tuple[str, ...]) -> tuple[Any, list[int]]:
        """The tickets and sequences named behind `of`; those of the multilateral choice if none are."""
        if named:
            assert named[0] == "of"
            sequences = [int(sequence) for sequence in named[1:]]
            return tickets_of(self.books, sequences), sequences
        tickets = self.books.choose_multilateral()
        return tickets, sequences_of(self.books, tickets)

    def _matched(self, blocking: int, number: int, sequences: list[int]) -> str:
        entries = drained(self.books)
        if blocking >= 0:
            self.unread = entries
            return self._blocked(blocking)
        legs, self.unread = entries[: len(sequences)], entries[len(sequences) :]
        settled = (MATCHING_CAUSE - number, Act.SETTLED, 0)
        assert legs == [(at, self.now, *settled, self.level[at]) for at in sequences]
        return spoken(sequences)

    def _blocked(self, row: int) -> str:
        return f"blocked by {list(self.rows)[row]}"
