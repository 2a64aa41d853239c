"""Tables with pools, pledges and policies: the words of `conftest` and `matching_tables`, and these.

    pool A B C                               a fund pool in list order (setting); `random_pool A B C` in random order
    pool_seed 5                              (setting)
    lends CB rate 1000000 interest I         who lends, the yearly rate in millionths, who is paid the interest

    set_pool 0 off                           (pools are numbered in the order set; `on` begins it again)
    set_pledge A 100 20 automatic            (room, starting amount, automatic or manual)
    borrow A 50 = done
    repay A
    overdue 30000                            (every loan, by so much a year more, in millionths)
    write_off A = 1000 50 3                  (sequence, principal, interest of each loan; `nothing`)
    policy A until 17:00 levels NORM HIGH hold 10:00 budget 10 receipts 500000 reserve 5    (until at least)
    release A                                (an instant of its policy)
    send A 50                                (from the outbox until 50 fen are sent)
    owes A 1000 50 1001 20                   (sequence and principal of its loans, oldest first; `owes A nothing`)

A move is told in its place in the log, as `pool B A 5 for 1`, `pledge CB A 50 for 1`, `repayment A CB 50 for 1000` or
`interest A I 1 for 1000`. Moves are numbered from 1000. Those that cover an arriving payment must stand before its own
entry; in the table they stand behind its answer.
"""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

from cnaps_sim.words.codes import Act, Answer, Cause, MoveKind, Phase, Refusal
from cnaps_sim.words.units import parse_clock

_TABLES = runpy.run_path(str(Path(__file__).with_name("matching_tables.py")))
MatchingTable: Any = _TABLES["MatchingTable"]
drained = _TABLES["drained"]
word = _TABLES["word"]

FIRST_BOOKING = 1000
UNLIMITED = 4_000_000_000_000_000_000
NO_RESERVE = -(2**62)
LEVEL = {"URGT": 1, "net": 4, "one_sided": 5, "HIGH": 6, "NORM": 7, "same_city": 3, "fees": 2, "reversal": 0}
WARNINGS = (Act.WARNING_RAISED, Act.WARNING_CLEARED)
SETTING = ("pool", "random_pool", "pool_seed", "lends")
#: (sequence, time_ms, amount, debtor, creditor, kind, for_sequence)
Move = tuple[int, int, int, int, int, int, int]


class LiquidityTable(MatchingTable):  # type: ignore[misc]
    """A table that knows what may cover a short account, and what a bank keeps back."""

    def __init__(self, books_class: Any) -> None:
        super().__init__(books_class)
        self.pools: list[tuple[bool, list[int]]] = []
        self.terms_of_books: dict[str, int] = {"first_booking": FIRST_BOOKING}
        self.moves: dict[int, Move] = {}

    def step(self, line: str) -> None:
        verb, *rest = line.split()
        if verb in SETTING:
            assert self.books is None, f"{line}: the setting comes first"
            self._set_liquidity(verb, rest)
        elif verb == "owes":
            self._owes(rest, line)
        else:
            super().step(line)

    def _set_liquidity(self, verb: str, rest: list[str]) -> None:
        if verb == "pool_seed":
            self.terms_of_books["pool_seed"] = int(rest[0])
        elif verb == "lends":
            more = dict(zip(rest[1::2], rest[2::2], strict=True))
            self.terms_of_books["lender"] = self.rows[rest[0]]
            self.terms_of_books["pledge_rate_ppm"] = int(more.get("rate", 0))
            self.terms_of_books["interest_account"] = self.rows[more["interest"]] if "interest" in more else -1
        else:
            self.pools.append((verb == "random_pool", [self.rows[name] for name in rest]))

    def _open_books(self) -> None:
        self.books = self.books_class(
            self.terms,
            discipline=self.discipline,
            reprioritise=self.reprioritise,
            limits=self.limits,
            pools=self.pools,
            **self.terms_of_books,
        )
        self.books.set_phase(Phase.DAYTIME)
        self.money = self._money()

    # Acts

    def do_pay(self, sequence: str, debtor: str, creditor: str, amount: str, level: str, *more: str) -> Any:
        number, at, rows = int(sequence), LEVEL[level], (self.rows[debtor], self.rows[creditor])
        refusal = next((Refusal[each.upper()] for each in more if each != "special"), Refusal.NONE)
        self.level[number] = at
        act = Act(self.books.submit(self.now, number, *rows, int(amount), at, refusal, "special" in more))
        self._note_moves()
        entries = drained(self.books)
        place = next(at for at, entry in enumerate(entries) if entry[0] == number and entry[3] not in WARNINGS)
        before, own, after = entries[:place], entries[place], entries[place + 1 :]
        assert own == (number, self.now, Cause.NONE, act, own[4], at)
        covering = [self.moves[entry[0]] for entry in before if entry[3] not in WARNINGS]
        assert all(move[6] == number for move in covering), "only what covers a payment stands before it"
        self.unread = before + after
        return f"refused {Refusal(own[4]).name.lower()}" if act == Act.REFUSED else act.name.lower(), None

    def do_set_pool(self, pool: str, on: str) -> Any:
        self.books.set_pool(self.now, int(pool), on == "on")
        return None, None

    def do_set_pledge(self, account: str, room: str, start: str, automatic: str) -> Any:
        self.books.set_pledge(self.now, self.rows[account], int(room), int(start), automatic == "automatic")
        return None, None

    def do_borrow(self, account: str, amount: str) -> Any:
        return word(Answer(self.books.borrow(self.now, self.rows[account], int(amount)))), None

    def do_repay(self, account: str) -> Any:
        self.books.repay_now(self.now, self.rows[account])
        return None, None

    def do_overdue(self, extra_ppm: str) -> Any:
        self.books.make_overdue(self.now, int(extra_ppm))
        return None, None

    def do_write_off(self, account: str) -> Any:
        ended = self.books.write_off(self.now, self.rows[account])
        return " ".join(str(int(part)) for loan in ended for part in loan) or "nothing", None

    def do_policy(self, account: str, *words: str) -> Any:
        given: dict[str, list[str]] = {}
        for each in words:
            if each in ("until", "levels", "hold", "budget", "receipts", "reserve"):
                given[each] = []
            else:
                given[list(given)[-1]].append(each)
        self.books.set_policy(
            self.rows[account],
            parse_clock(given["until"][0]),
            sum(1 << LEVEL[level] for level in given.get("levels", ["URGT", "HIGH", "NORM"])),
            parse_clock(given.get("hold", ["00:00"])[0]),
            int(given.get("budget", [str(UNLIMITED)])[0]),
            int(given.get("receipts", ["0"])[0]),
            int(given.get("reserve", [str(NO_RESERVE)])[0]),
        )
        return None, None

    def do_release(self, account: str) -> Any:
        self.books.release_outbox(self.now, self.rows[account])
        return None, None

    def do_send(self, account: str, fen: str) -> Any:
        self.books.send_from_outbox(self.now, self.rows[account], int(fen))
        return None, None

    # Statements

    def _owes(self, rest: list[str], line: str) -> None:
        account, *expected = rest
        loans = self.books.snapshot()["loans"].get(self.rows[account], [])
        found = [str(int(part)) for loan in loans for part in loan[:2]]
        assert found == ([] if expected == ["nothing"] else expected), f"{line}: {loans}"

    # What every step must keep

    def _note_moves(self) -> None:
        """Moves are numbered without a gap, at the present instant."""
        moves = self.books.drain_moves()
        for move in moves if isinstance(moves, list) else [tuple(each) for each in moves.tolist()]:
            assert move[:2] == (FIRST_BOOKING + len(self.moves), self.now), f"number or time of move {move}"
            self.moves[move[0]] = move
            self.level[move[0]] = LEVEL["one_sided"]
        assert self.books.snapshot()["next_booking"] == FIRST_BOOKING + len(self.moves)

    def _check_log(self, line: str, implied: str | None, expected: list[str]) -> None:
        self._note_moves()
        super()._check_log(line, implied, expected)

    def _tell(self, entry: tuple[int, int, int, int, int, int]) -> str:
        if entry[3] in WARNINGS or entry[0] not in self.moves:
            return str(super()._tell(entry))
        assert entry[2:5] == (Cause.NONE, Act.SETTLED, Refusal.NONE), f"a move is posted, nothing else: {entry}"
        _, _, amount, debtor, creditor, kind, for_sequence = self.moves[entry[0]]
        names = list(self.rows)
        return f"{MoveKind(kind).name.lower()} {names[debtor]} {names[creditor]} {amount} for {for_sequence}"
