"""Settlement cases as tables in domain words, played on the reference books and on the compiled books.

A table is text, one line per step, its outcome behind `=`; amounts are fen, `#` begins a comment:

    discipline bypass                        (fifo, the default, bypass or reject)
    reprioritise on
    account A balance 100 overdraft_limit 50 (any term; words such as debit_control, logged_out, central_bank)

    09:00 pay 1 A B 60 NORM = settled        (sequence, debtor, creditor, amount, level)
    pay 2 A B 60 NORM = queued               (without a time the clock stands still)
    10:00 pay 3 B A 40 NORM = settled, 2 settled by 3
    ends A balance 20 lowest_balance 20      (fields of the account)
    waits A NORM 4 5                         (sequences from the head; `waits nothing`)
    totals waiting_count 1                   (counters of the books)

Behind `=` stands the answer, then *every* further log entry in order: `SEQUENCE ACT [REFUSAL] [by CAUSE]`, or
`ACCOUNT warning_raised`. A line without `=` must answer "done" and log nothing. The books begin in daytime. After each
step the table checks that no money was made or lost, that entries carry the right time and level, and that
the counters agree with the queues.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import pytest

from cnaps_sim.words.codes import HVPS_LEVELS, Act, Answer, Cause, Discipline, Life, Phase, Refusal
from cnaps_sim.words.units import MS_PER_DAY, parse_clock

#: (sequence, time_ms, cause, act, refusal, level)
LogEntry = tuple[int, int, int, int, int, int]
UNLIMITED = 4_000_000_000_000_000_000
OUTBOX = 8
QUEUES = {
    "reversal": 0, "URGT": 1, "fees": 2, "same_city": 3, "net": 4, "one_sided": 5, "HIGH": 6, "NORM": 7,
    "outbox": OUTBOX,
}  # fmt: skip
FLAGS = ("debit_control", "credit_control", "central_bank", "pledge_automatic")


@pytest.fixture(params=["reference", "core"])
def books_class(request: pytest.FixtureRequest) -> Any:
    """Both implementations of the books in turn."""
    return importlib.import_module(f"cnaps_sim.{request.param}").Books


@pytest.fixture(params=["reference.netting", "core.netting_desk"])
def netting_class(request: pytest.FixtureRequest) -> Any:
    """Both implementations of the netting server in turn."""
    return importlib.import_module(f"cnaps_sim.{request.param}").Netting


@pytest.fixture
def read_log() -> Callable[[Any], list[LogEntry]]:
    """Drains the log of either implementation into plain tuples."""
    return drained


@pytest.fixture
def play(books_class: Any) -> Callable[[str], Any]:
    """Plays a table and answers the books as they are at its end."""

    def run(text: str) -> Any:
        table = Table(books_class)
        for line in text.splitlines():
            if words := line.partition("#")[0].strip():
                table.step(words)
        return table.books

    return run


class Table:
    """One table being played."""

    def __init__(self, books_class: Any) -> None:
        self.books_class = books_class
        self.rows: dict[str, int] = {}
        self.terms: list[dict[str, Any]] = []
        self.discipline = Discipline.FIFO
        self.reprioritise = False
        self.books: Any = None
        self.now = 0
        self.level: dict[int, int] = {}  # of every payment seen
        self.unread: list[LogEntry] = []  # log entries that the present step has still to account for

    def step(self, line: str) -> None:
        """One line: part of the setting, a statement of what is, or an act with its outcome."""
        words, _, outcome = (part.strip() for part in line.partition("="))
        verb, *rest = self._read_time(words.split())
        if verb in ("account", "discipline", "reprioritise"):
            assert self.books is None, f"{line}: the setting comes first"
            self._set(verb, rest)
            return
        if self.books is None:
            self._open_books()
        if verb in ("ends", "waits", "totals"):
            getattr(self, f"_{verb}")(rest, line)
            return
        answer, implied = getattr(self, f"do_{verb}")(*rest)
        expected = [part.strip() for part in outcome.split(",") if part.strip()]
        if answer is not None:
            told = expected.pop(0) if expected else "done"
            assert answer == told, f"{line}: answered {answer}"
        self._check_log(line, implied, expected)
        self._check_totals(line)

    def _read_time(self, words: list[str]) -> list[str]:
        """Move the clock if the line begins with `HH:MM[:SS[.mmm]]`, with `T-1` before it on the evening before."""
        day = -1 if words[0] == "T-1" else 0
        words = words[1:] if day else words
        if ":" in words[0]:
            moment = parse_clock(words[0]) + day * MS_PER_DAY
            assert moment >= self.now or not self.level, "the clock goes forwards"
            self.now = moment
            words = words[1:]
        return words

    # The setting

    def _set(self, verb: str, rest: list[str]) -> None:
        if verb == "discipline":
            self.discipline = Discipline[rest[0].upper()]
        elif verb == "reprioritise":
            self.reprioritise = rest[0] == "on"
        else:
            self.rows[rest[0]] = len(self.rows)
            self.terms.append(read_terms(rest[1:]))

    def _open_books(self) -> None:
        self.books = self.books_class(self.terms, discipline=self.discipline, reprioritise=self.reprioritise)
        self.books.set_phase(Phase.DAYTIME)
        self.money = self._money()

    # Acts: each answers (answer in words or None, log entries that the answer implies)

    def do_pay(self, sequence: str, debtor: str, creditor: str, amount: str, level: str, *more: str) -> Any:
        refusal = next((Refusal[word.upper()] for word in more if word != "special"), Refusal.NONE)
        number, at = int(sequence), QUEUES[level]
        self.level[number] = at
        act = Act(
            self.books.submit(
                self.now, number, self.rows[debtor], self.rows[creditor], int(amount), at, refusal, "special" in more
            )
        )
        own, *self.unread = drained(self.books)
        assert own[:4] == (number, self.now, Cause.NONE, act), f"payment {number} is not the first thing logged: {own}"
        assert own[5] == at, f"payment {number} is logged at level {own[5]}"
        return f"refused {Refusal(own[4]).name.lower()}" if act == Act.REFUSED else act.name.lower(), None

    def do_cancel(self, sequence: str, _by: str, owner: str) -> Any:
        answer = self.books.cancel(self.now, int(sequence), self.rows[owner])
        return self._order(sequence, answer, Act.CANCELLED)

    def do_withdraw(self, sequence: str) -> Any:
        answer = self.books.withdraw(self.now, int(sequence))
        return self._order(sequence, answer, Act.CANCELLED)

    def do_head(self, sequence: str, _by: str, owner: str) -> Any:
        answer = self.books.move_to_head(self.now, int(sequence), self.rows[owner])
        return self._order(sequence, answer, Act.MOVED_TO_HEAD)

    def do_tail(self, sequence: str, _by: str, owner: str) -> Any:
        answer = self.books.move_to_tail(self.now, int(sequence), self.rows[owner])
        return self._order(sequence, answer, Act.MOVED_TO_TAIL)

    def do_level(self, sequence: str, level: str, _by: str, owner: str) -> Any:
        answer = self.books.change_level(self.now, int(sequence), self.rows[owner], QUEUES[level])
        if answer == Answer.DONE:
            self.level[int(sequence)] = QUEUES[level]
        return self._order(sequence, answer, Act.LEVEL_CHANGED)

    def _order(self, sequence: str, answer: int, act: Act) -> Any:
        return word(Answer(answer)), f"{sequence} {act.name.lower()}" if answer == Answer.DONE else None

    def do_set(self, account: str, field: str, value: str) -> Any:
        return word(Answer(self.books.set_field(self.now, self.rows[account], field, int(value)))), None

    def do_debit_control(self, account: str, on: str) -> Any:
        return word(Answer(self.books.set_debit_control(self.now, self.rows[account], on == "on"))), None

    def do_credit_control(self, account: str, on: str) -> Any:
        return word(Answer(self.books.set_credit_control(self.now, self.rows[account], on == "on"))), None

    def do_life(self, account: str, life: str) -> Any:
        return word(Answer(self.books.set_life(self.now, self.rows[account], Life[life.upper()]))), None

    def do_log(self, account: str, way: str) -> Any:
        self.books.set_logged_in(self.rows[account], way == "in")
        return None, None

    def do_phase(self, phase: str, session: str = "") -> Any:
        self.books.set_phase(Phase[phase.upper()], special_session=session == "special_session")
        return None, None

    def do_hold(self, account: str, _until: str, clock: str) -> Any:
        self.books.hold_sending(self.rows[account], parse_clock(clock))
        return None, None

    def do_resume(self, account: str) -> Any:
        self.books.hold_sending(self.rows[account], self.now)
        self.books.empty_outbox(self.now, self.rows[account])
        return None, None

    def do_inject(self, sequence: str, lender: str, account: str, amount: str) -> Any:
        self.level[int(sequence)] = QUEUES["one_sided"]
        rows = self.rows[lender], self.rows[account]
        self.books.post_direct(self.now, int(sequence), *rows, int(amount), QUEUES["one_sided"], Cause.INJECTION)
        return None, f"{sequence} settled"

    def do_retry_all(self, _by: str, cause: str) -> Any:
        self.books.retry_all(self.now, Cause[cause.upper()])
        return None, None

    def do_return(self) -> Any:
        self.books.return_queued(self.now)
        return None, None

    def do_lend(self, _from: str, first: str, _of: str, lender: str) -> Any:
        loans = self.books.lend_and_clear(self.now, int(first), self.rows[lender])
        assert [number for number, _, _ in loans] == list(range(int(first), int(first) + len(loans)))
        self.level |= {number: QUEUES["one_sided"] for number, _, _ in loans}
        names = list(self.rows)
        return " ".join(f"{names[row]} {amount}" for _, row, amount in loans) or "nobody", None

    def do_charge(self, account: str) -> Any:
        return str(self.books.charge_overdraft(self.now, self.rows[account])), None

    def do_crossings(self) -> Any:
        return str(self.books.take_crossings()), None

    def do_start_day(self) -> Any:
        self.books.start_day(self.now)
        return None, None

    # Statements

    def _ends(self, rest: list[str], line: str) -> None:
        found = self.books.snapshot()["accounts"][self.rows[rest[0]]]
        for field, value in zip(rest[1::2], rest[2::2], strict=True):
            assert found[field] == int(value), f"{line}: {field} is {found[field]}"

    def _waits(self, rest: list[str], line: str) -> None:
        queues = {
            (account, level): list(queue)
            for account, levels in self.books.snapshot()["queues"].items()
            for level, queue in levels.items()
            if queue
        }
        if rest == ["nothing"]:
            assert queues == {}, line
        else:
            account, queue, *sequences = rest
            found = queues.get((self.rows[account], QUEUES[queue]), [])
            assert found == [int(sequence) for sequence in sequences], f"{line}: {queues}"

    def _totals(self, rest: list[str], line: str) -> None:
        found = self.books.snapshot()["books"]
        for counter, value in zip(rest[::2], rest[1::2], strict=True):
            assert found[counter] == int(value), f"{line}: {counter} is {found[counter]}"

    # What every step must keep

    def _check_log(self, line: str, implied: str | None, expected: list[str]) -> None:
        entries = self.unread + drained(self.books)
        self.unread = []
        for entry in entries:
            level = 0 if entry[3] in (Act.WARNING_RAISED, Act.WARNING_CLEARED) else self.level[entry[0]]
            assert (entry[1], entry[5]) == (self.now, level), f"{line}: time or level of {entry}"
        told = [self._tell(entry) for entry in entries]
        assert told == ([implied] if implied else []) + [normal(part) for part in expected], line

    def _tell(self, entry: LogEntry) -> str:
        sequence, _, cause, act, refusal, _ = entry
        warning = act in (Act.WARNING_RAISED, Act.WARNING_CLEARED)
        text = f"{list(self.rows)[sequence] if warning else sequence} {Act(act).name.lower()}"
        if refusal:
            text += f" {Refusal(refusal).name.lower()}"
        if cause != Cause.NONE:
            text += f" by {cause if cause >= 0 else Cause(cause).word}"
        return text

    def _money(self) -> int:
        return sum(account["balance"] for account in self.books.snapshot()["accounts"])

    def _check_totals(self, line: str) -> None:
        assert self._money() == self.money, f"{line}: money made or lost"
        queues = self.books.snapshot()["queues"].values()
        waiting = {level: sum(len(q.get(level, [])) for q in queues) for level in range(8)}
        hvps = sum(waiting[level] for level in HVPS_LEVELS)
        self._totals(["waiting_count", str(sum(waiting.values())), "hvps_waiting_count", str(hvps)], line)


def drained(books: Any) -> list[LogEntry]:
    """The log since the last drain as plain tuples; the compiled books hand over records."""
    entries = books.drain_log()
    return entries if isinstance(entries, list) else [tuple(entry) for entry in entries.tolist()]


def word(answer: Answer) -> str:
    return answer.name.lower()


def normal(text: str) -> str:
    return " ".join(text.split())


def read_terms(words: list[str]) -> dict[str, Any]:
    """`balance 100 floor 20 debit_control life frozen logged_out` to the terms of an account."""
    terms: dict[str, Any] = {}
    queue = list(words)
    while queue:
        name = queue.pop(0)
        if name in FLAGS:
            terms[name] = True
        elif name == "logged_out":
            terms["logged_in"] = False
        elif name == "life":
            terms[name] = Life[queue.pop(0).upper()]
        else:
            terms[name] = int(queue.pop(0))
    if terms.get("central_bank"):
        terms.setdefault("overdraft_limit", UNLIMITED)
    return terms
