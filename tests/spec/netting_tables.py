"""Cases of the netting server (轧差服务器) as tables in domain words, played on the reference and the compiled one.

A table is text, one line per step, its outcome behind `=`; amounts are fen, `#` begins a comment:

    log_all                                  (the setting: also log what a row tells by itself)
    bank A cap 100 cap_line 20               (a participant; also `closed`, `logged_out`)

    09:00 pay 1 A B 60 BCRD = netted         (unit, payer, payee, fen, type; also `items 3`, a refusal found before)
    pay 2 A B 60 BCRD = queued               (without a time the clock stands still)
    pay 9 A B 60 ICRD sent 09:00 = netted    (submitted then, answered now)
    10:00 pay 3 B A 60 ICRD = netted, 2 netted by 3
    cap A 200 = 2 netted by limit            (a new cap, forced)
    cap_line A 20 = A cap_warning_raised
    round = A -60 B 60                       (the nets that are not zero, or `nothing`)
    posted A -60 = 2 netted by round         (SAPS has posted a net of A; also `cap 40`)
    match 7 = 1 2                            (matching 7 nets these together, or `nothing`)
    cancel 2 by A = done
    date_switch = 2 3                        (cancels all that waits)
    log A out                                (or in)
    close A                                  (or open)
    ends A position -60 headroom 40          (what can be seen of a participant)
    waits A 2 3                              (units in queue order; `waits nothing`)
    totals waiting_count 1                   (counters)
    tally BCRD netted 2 5 120                (outcomes so far: units, items, fen)

Behind `=` stands the answer, then *every* further log entry in order: `UNIT ACT [REFUSAL] [by CAUSE]`, or
`BANK cap_warning_raised`. A line without `=` must log nothing. That an outcome is logged if, and only if, its row
does not tell it, is checked without being said, and so are the entries of a matching or of the date switch itself.
After each step the table checks that positions add up to nothing, and that the counters agree with the queues.
"""

from __future__ import annotations

from typing import Any

from cnaps_sim.words.codes import MATCHING_CAUSE, Act, Answer, Cause, Refusal
from cnaps_sim.words.retail import RetailKind
from cnaps_sim.words.units import parse_clock

#: (unit, time_ms, cause, units_come, act, refusal, kind)
LogEntry = tuple[int, int, int, int, int, int, int]
WARNINGS = (Act.CAP_WARNING_RAISED, Act.CAP_WARNING_CLEARED)
TOLD_BY_ROW = {
    Refusal.NONE: Act.NETTED,
    Refusal.STOPPED: Act.STOPPED,
    Refusal.TIMED_OUT: Act.EXPIRED,
    Refusal.UNANSWERED: Act.OPEN,
}


def drained(server: Any) -> list[LogEntry]:
    """The log since the last drain as plain tuples; the compiled server hands over records."""
    entries = server.drain_log()
    return entries if isinstance(entries, list) else entries.tolist()


def read_terms(words: list[str]) -> dict[str, Any]:
    """`cap 100 closed logged_out` to the terms of a participant."""
    terms: dict[str, Any] = {}
    queue = list(words)
    while queue:
        name = queue.pop(0)
        if name == "closed":
            terms["closed"] = True
        elif name == "logged_out":
            terms["logged_in"] = False
        else:
            terms[name] = int(queue.pop(0))
    return terms


class NettingTable:
    """One table being played."""

    def __init__(self, netting_class: Any) -> None:
        self.netting_class = netting_class
        self.rows: dict[str, int] = {}
        self.terms: list[dict[str, Any]] = []
        self.log_all = False
        self.server: Any = None
        self.now = 0
        self.come = 0
        self.kind: dict[int, RetailKind] = {}  # of every unit seen
        self.unread: list[LogEntry] = []  # log entries that the present step has still to account for

    def play(self, text: str) -> Any:
        """Play the lines and answer the netting server as it is then."""
        for line in text.splitlines():
            if words := line.partition("#")[0].strip():
                self.step(words)
        return self.server

    def step(self, line: str) -> None:
        """One line: part of the setting, a statement of what is, or an act with its outcome."""
        words, _, outcome = (part.strip() for part in line.partition("="))
        verb, *rest = self._read_time(words.split())
        if verb in ("bank", "log_all"):
            assert self.server is None, f"{line}: the setting comes first"
            self._set(verb, rest)
            return
        if self.server is None:
            self.server = self.netting_class(self.terms, log_all=self.log_all)
        if verb in ("ends", "waits", "totals", "tally"):
            getattr(self, f"_{verb}")(rest, line)
            return
        answer = getattr(self, f"do_{verb}")(*rest)
        expected = [part.strip() for part in outcome.split(",") if part.strip()]
        if answer is not None:
            told = expected.pop(0) if expected else "done"
            assert answer == told, f"{line}: answered {answer}"
        self._check_log(line, expected)
        self._check_sums(line)

    def _read_time(self, words: list[str]) -> list[str]:
        """Move the clock if the line begins with `HH:MM[:SS[.mmm]]`."""
        if ":" not in words[0]:
            return words
        moment = parse_clock(words[0])
        assert moment >= self.now, "the clock goes forwards"
        self.now = moment
        return words[1:]

    def _set(self, verb: str, rest: list[str]) -> None:
        if verb == "log_all":
            self.log_all = True
        else:
            self.rows[rest[0]] = len(self.rows)
            self.terms.append(read_terms(rest[1:]))

    # Acts: each answers in words, or None where there is nothing to answer

    def do_pay(self, unit: str, payer: str, payee: str, amount: str, code: str, *more: str) -> str:
        words, items, lag_ms = list(more), 1, 0
        if "items" in words:
            items = int(words.pop(words.index("items") + 1))
            words.remove("items")
        if "sent" in words:
            lag_ms = self.now - parse_clock(words.pop(words.index("sent") + 1))
            words.remove("sent")
        refusal = Refusal[words[0].upper()] if words else Refusal.NONE
        kind = RetailKind.of_code(code)
        assert kind is not None, code
        self.kind[int(unit)] = kind
        self.come += 1
        rows = self.rows[payer], self.rows[payee]
        act = Act(self.server.submit(self.now, int(unit), *rows, int(amount), items, int(kind), int(refusal), lag_ms))
        self.unread = drained(self.server)
        is_told = (act, refusal) == (TOLD_BY_ROW.get(refusal, Act.REFUSED), refusal)
        own = [entry for entry in self.unread[:1] if entry[0] == int(unit) and entry[4] == act]
        why = Refusal(own[0][5]) if own else refusal
        if act == Act.REFUSED and own:
            is_told = why == refusal
        assert bool(own) == (self.log_all or not is_told), f"unit {unit}: {act.name}, logged {self.unread}"
        if own:
            assert own[0] == (int(unit), self.now, Cause.NONE, self.come, act, why, kind)
            del self.unread[0]
        return f"refused {why.name.lower()}" if act == Act.REFUSED else act.name.lower()

    def do_cap(self, bank: str, cap: str) -> None:
        self.server.set_cap(self.now, self.rows[bank], int(cap))

    def do_cap_line(self, bank: str, line: str) -> None:
        self.server.set_cap_line(self.now, self.rows[bank], int(line))

    def do_round(self) -> str:
        before = [self.server.headroom(row) for row in self.rows.values()]
        nets = [int(net) for net in self.server.close_round()]
        assert sum(nets) == 0
        assert [self.server.headroom(row) for row in self.rows.values()] == before, "a round moves no headroom"
        return " ".join(f"{bank} {nets[row]}" for bank, row in self.rows.items() if nets[row]) or "nothing"

    def do_posted(self, bank: str, net: str, _cap: str = "", cap: str = "") -> None:
        self.server.net_posted(self.now, self.rows[bank], int(net), int(cap) if cap else None)

    def do_match(self, number: str) -> str:
        before = self._waiting()
        fen = self.server.snapshot()["desk"]["waiting_fen"]
        considered, considered_fen, settled, settled_fen = self.server.match(self.now, int(number))
        assert considered <= len(before)
        assert settled_fen <= considered_fen <= fen
        self.unread = drained(self.server)
        netted, self.unread = self.unread[:settled], self.unread[settled:]
        for entry in netted:
            assert entry[1:] == self._entry(entry[0], Act.NETTED, Refusal.NONE, MATCHING_CAUSE - int(number))
        units = [entry[0] for entry in netted]
        assert units == [unit for unit in before if unit in units], "payers in row order, each in queue order"
        return " ".join(map(str, units)) or "nothing"

    def do_cancel(self, unit: str, _by: str, bank: str) -> str:
        answer = Answer(self.server.cancel(self.now, int(unit), self.rows[bank]))
        self.unread = drained(self.server)
        if answer == Answer.DONE:
            assert self.unread.pop(0)[1:] == self._entry(int(unit), Act.CANCELLED, Refusal.NONE, Cause.NONE)
        return answer.name.lower()

    def do_stop(self, unit: str, _by: str, bank: str) -> str:
        answer = Answer(self.server.stop(self.now, int(unit), self.rows[bank]))
        self.unread = drained(self.server)
        if answer == Answer.DONE:
            assert self.unread.pop(0)[1:] == self._entry(int(unit), Act.STOPPED, Refusal.STOPPED, Cause.NONE)
        return answer.name.lower()

    def do_date_switch(self) -> str:
        self.server.cancel_queue(self.now)
        entries = drained(self.server)
        for entry in entries:
            assert entry[1:] == self._entry(entry[0], Act.CANCELLED, Refusal.CAP_QUEUE_CLOSED, Cause.NONE)
        return " ".join(str(entry[0]) for entry in entries) or "nothing"

    def do_log(self, bank: str, way: str) -> None:
        self.server.set_logged_in(self.now, self.rows[bank], way == "in")

    def do_close(self, bank: str) -> None:
        self.server.set_closed(self.rows[bank], True)

    def do_open(self, bank: str) -> None:
        self.server.set_closed(self.rows[bank], False)

    def do_crossings(self) -> str:
        return str(self.server.take_crossings())

    # Statements

    def _ends(self, rest: list[str], line: str) -> None:
        row = self.rows[rest[0]]
        found = {**self.server.snapshot()["positions"][row], "headroom": self.server.headroom(row)}
        for field, value in zip(rest[1::2], rest[2::2], strict=True):
            assert found[field] == int(value), f"{line}: {field} is {found[field]}"

    def _waits(self, rest: list[str], line: str) -> None:
        if rest == ["nothing"]:
            assert self._waiting() == [], line
        else:
            found = [int(unit) for unit in self.server.waiting(self.rows[rest[0]])]
            assert found == [int(unit) for unit in rest[1:]], f"{line}: {found}"

    def _totals(self, rest: list[str], line: str) -> None:
        found = self.server.snapshot()["desk"]
        for counter, value in zip(rest[::2], rest[1::2], strict=True):
            assert found[counter] == int(value), f"{line}: {counter} is {found[counter]}"

    def _tally(self, rest: list[str], line: str) -> None:
        code, act, *figures = rest
        kind = RetailKind.of_code(code)
        assert kind is not None, line
        found = self.server.snapshot()["tallies"].get((int(kind), int(Act[act.upper()])), (0, 0, 0))
        assert found == tuple(map(int, figures)), f"{line}: {found}"

    # What every step must keep

    def _entry(self, unit: int, act: Act, refusal: Refusal, cause: int) -> tuple[int, ...]:
        """What a log entry about a unit must say behind its number."""
        return self.now, cause, self.come, act, refusal, self.kind[unit]

    def _waiting(self) -> list[int]:
        """All waiting units, payers in row order, each in queue order."""
        return [unit for _, queue in sorted(self.server.snapshot()["queues"].items()) for unit in queue]

    def _check_log(self, line: str, expected: list[str]) -> None:
        entries = self.unread + drained(self.server)
        self.unread = []
        for entry in entries:
            kind = 0 if entry[4] in WARNINGS else self.kind[entry[0]]
            assert (entry[1], entry[3], entry[6]) == (self.now, self.come, kind), f"{line}: {entry}"
        assert [self._tell(entry) for entry in entries] == [" ".join(part.split()) for part in expected], line

    def _tell(self, entry: LogEntry) -> str:
        unit, _, cause, _, act, refusal, _ = entry
        text = f"{list(self.rows)[unit] if act in WARNINGS else unit} {Act(act).name.lower()}"
        if refusal:
            text += f" {Refusal(refusal).name.lower()}"
        if cause <= MATCHING_CAUSE:
            text += f" by matching {MATCHING_CAUSE - cause}"
        elif cause != Cause.NONE:
            text += f" by {cause if cause >= 0 else Cause(cause).word}"
        return text

    def _check_sums(self, line: str) -> None:
        seen = self.server.snapshot()
        assert sum(at["position"] for at in seen["positions"]) == 0, line
        for row, at in enumerate(seen["positions"]):
            assert self.server.headroom(row) == at["cap"] + at["position"] + at["unsettled"], line
            assert at["lowest_headroom"] <= self.server.headroom(row), line
            queue = [int(unit) for unit in self.server.waiting(row)]
            assert seen["queues"].get(row, []) == queue, line
            assert at["waiting_count"] == len(queue), line
        for total in ("waiting_count", "waiting_fen"):
            assert seen["desk"][total] == sum(at[total] for at in seen["positions"]), line
        assert seen["desk"]["units_come"] == self.come, line
