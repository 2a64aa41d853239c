"""Random small runs of retail clearing over weekends and holidays: nothing is lost, doubled or owed over the cap.

A run is drawn from a seed: a few banks with little money and low caps, packages, payroll, debits and online payments
at few instants (rounds and date switch among them), HVPS payments that fund nets, and faults and orders at the same
instants: links lost, caps cut, earmarks moved, accounts controlled, banks logged out, payments stopped, cancelled and
recalled, nets of a third party. What the tables say is then added up again without the auditor, which has passed them.
"""

from __future__ import annotations

import datetime as dt
import os
import random
from collections import Counter, defaultdict
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import cnaps_sim as cs

SLOW = os.environ.get("CNAPS_SIM_TESTS") == "slow"
RUNS = 2_000 if SLOW else 40
DAY = 86_400_000
SWITCH = 57_600_000

#: First and last HVPS date: two days running, over a weekend, over the Spring Festival (28 January to 4 February).
SPANS = [("2025-06-17", "2025-06-18"), ("2025-06-20", "2025-06-23"), ("2025-01-27", "2025-02-05")]
EDGES = ["00:00", "08:30", "09:00", "10:00", "12:00", "15:59:59.999", "16:00", "17:15", "20:30"]
ROLES = ["BCRD", "BCRD", "BCRD", "BREG", "BDBT", "BRGD", "BRTC", "BRTD"]
FINAL = {"PR03", "PR08", "PR09", "PR21", "PR23", "PR32"}
#: Kinds that need an answer; where neither that nor its limit lies in the run, an item is open at its end.
ANSWERED = ("BDBT", "BRGD", "BRTC", "BRTD", "ICRD", "IDBT")
RETAIL = ("BEPS", "IBPS")


class Drawn:
    """One random scenario; `scenario` holds it."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        first, last = (dt.date.fromisoformat(text) for text in self.chance.choice(SPANS))
        self.dates = [first + dt.timedelta(days=number) for number in range((last - first).days + 1)]
        self.ends = [first, last]
        self.grid = [self.clock() for _ in range(self.chance.randint(3, 12))] + EDGES
        self.banks = [f"B{number}" for number in range(self.chance.randint(3, 6))]
        self.ids: list[str] = []
        self.packages: dict[str, list[str]] = {}
        workload = {"HVPS": self.hvps(), "BEPS": self.beps(), "IBPS": self.ibps()}
        self.accounts = [self.account(bank) for bank in self.banks]
        self.actions = [self.action() for _ in range(self.chance.randint(0, 14))]
        senders = [row["from"] for row in self.actions if row["do"] == "third_party_net"]
        self.actions += [{"at": self.moment(), "do": "cancel_third_party", "from": sender} for sender in senders[::2]]
        self.scenario: dict[str, Any] = {
            "name": "drawn",
            "date": first.isoformat(),
            "days": 2,
            "seed": seed,
            "accounts": self.accounts,
            "workload": [{"system": system, "payments": rows} for system, rows in workload.items() if rows],
            "actions": self.actions,
            "nets": self.nets(),
            "beps": {**self.shares(), "reply_median": self.chance.choice(["20 min", "6 h"]), "reply_days": 2},
            "ibps": self.shares(),
            "series_step": "6 h",
        }

    def clock(self) -> str:
        minutes = self.chance.randint(0, 24 * 60 - 1)
        return f"{minutes // 60:02d}:{minutes % 60:02d}{self.chance.choice(['', ':00', ':30.250'])}"

    def moment(self) -> str:
        """From the first date's 00:00 to what the run still takes on the last one."""
        date, clock = self.chance.choice(self.dates), self.chance.choice(self.grid)
        if date == self.dates[-1] and clock >= "16:00" and (clock > "17:29" or self.chance.random() < 0.9):
            clock = "15:30"
        return f"{date.isoformat()}T{clock}"

    def pair(self) -> tuple[str, str]:
        """Two banks; now and then a bank and itself."""
        debtor, creditor = self.chance.sample(self.banks, 2)
        return debtor, debtor if self.chance.random() < 0.05 else creditor

    def account(self, bank: str) -> dict[str, Any]:
        row: dict[str, Any] = {"account": bank, "balance": self.chance.choice([0, 20, 100, 300])}
        row["credit_line"] = self.chance.choice([0, 10, 30, 60])
        if self.chance.random() < 0.3:
            row["earmark"] = min(row["balance"], self.chance.choice([10, row["balance"]]))
        if self.chance.random() < 0.2:
            row["pledged"] = 25
        if self.chance.random() < 0.3:
            row["cap_warning_line"] = 15
        return row

    def payment(self, payment_id: str, time: str, pair: tuple[str, str], **more: str) -> dict[str, Any]:
        self.ids.append(payment_id)
        amount = f"{self.chance.choice([1, 2, 5, 9, 20, 40])}.{self.chance.randint(0, 99):02d}"
        return {
            "payment_id": payment_id, "time": time, "debtor": pair[0], "creditor": pair[1], "amount": amount, **more,
        }  # fmt: skip

    def hvps(self) -> list[dict[str, Any]]:
        rows = []
        for number in range(self.chance.randint(0, 12)):
            date = self.chance.choice(self.ends)
            rows.append(self.payment(f"H{number}", f"{date}T{self.chance.choice(self.grid)}", self.pair()))
        return rows

    def beps(self) -> list[dict[str, Any]]:
        """Packages of one item and more, of every kind."""
        rows = []
        for number in range(self.chance.randint(5, 40)):
            kind, pair, time = self.chance.choice(ROLES), self.pair(), self.moment()
            items = self.chance.choice([1, 1, 2, 5]) if kind != "BREG" else self.chance.randint(2, 8)
            ids = [f"P{number}-{item}" for item in range(items)]
            self.packages[f"P{number}"] = ids
            rows += [self.payment(one, time, pair, type=kind, package=f"P{number}") for one in ids]
        return rows

    def ibps(self) -> list[dict[str, Any]]:
        kinds = ["ICRD", "ICRD", "IDBT"]
        return [
            self.payment(f"I{number}", self.moment(), self.pair(), type=self.chance.choice(kinds))
            for number in range(self.chance.randint(0, 25))
        ]

    def shares(self) -> dict[str, str]:
        return {"refused_share": self.chance.choice(["0", "0.2"]), "unanswered_share": self.chance.choice(["0", "0.1"])}

    def nets(self) -> dict[str, Any]:
        terms: dict[str, Any] = {"release": self.chance.choice(["08:30", "opening"])}
        if self.chance.random() < 0.3:
            terms["rounds"] = {"working": ["00:30", "10:00", "16:00"], "other": ["08:00", "12:00", "16:00"]}
        terms["matching"] = self.chance.choice([{}, {"on_round": False}, {"every": "45 min"}])
        return terms

    def action(self) -> dict[str, Any]:
        at, bank = self.moment(), self.chance.choice(self.banks)
        kind = self.chance.choice(
            ["link_loss", "cut", "cut", "earmark", "control", "log", "log", "payment", "payment", "third", "status"]
        )
        if kind == "link_loss":
            until = max(at, self.moment())
            return {"at": at, "do": "link_loss", "until": until if until > at else f"{self.ends[-1]}T17:29:30"}
        if kind == "cut":
            field, value = self.chance.choice(["credit_line", "pledged"]), self.chance.choice(["0", "5", "50"])
            return {"at": at, "do": "set", "account": bank, "field": field, "value": value}
        if kind == "earmark":
            value = self.chance.choice(["0", "10", "30", "100"])
            return {"at": at, "do": "set", "account": bank, "field": "earmark", "value": value}
        if kind == "control":
            return {"at": at, "do": "debit_control", "account": bank, "on": self.chance.random() < 0.6}
        if kind == "log":
            return {"at": at, "do": self.chance.choice(["log_out", "log_in"]), "account": bank}
        if kind == "status":
            value = self.chance.choice(["AS03", "AS01", "AS02", "AS06"])
            return {"at": at, "do": "set", "account": bank, "field": "status", "value": value}
        if kind == "third":
            payer, payee, sender = self.chance.sample(self.banks, 3)
            if self.chance.random() < 0.3:
                payee = sender
            rows = [{"account": payer, "net": "-30"}, {"account": payee, "net": "30"}]
            return {"at": at, "do": "third_party_net", "from": sender, "nets": rows}
        verb = self.chance.choice(["stop_payment", "stop_payment", "cancel", "cancel", "recall", "move_head"])
        known = [one for one in self.ids if not one.startswith("H")] if verb == "stop_payment" else self.ids
        return {"at": at, "do": verb, "payment": self.chance.choice(known)}

    def steady(self) -> dict[str, int]:
        """The caps (fen) of the banks that have one and the same during the whole run."""
        moved = {row["account"] for row in self.actions if row["do"] == "set"}
        return {
            row["account"]: 100 * (row["credit_line"] + row.get("pledged", 0))
            for row in self.accounts
            if "earmark" not in row and row["account"] not in moved
        }


@settings(max_examples=RUNS, deadline=None, derandomize=not SLOW, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**31))
def test_what_the_tables_say_of_a_random_run_adds_up(seed: int) -> None:
    drawn = Drawn(seed)
    run = cs.simulate(drawn.scenario)  # raises where the auditor finds a breach
    payments = run.table("payments").to_pylist()
    rounds = run.table("rounds").to_pylist()
    money_is_constant(run)
    every_item_ends_at_most_once(drawn, payments)
    packages_are_whole(drawn, payments)
    rounds_are_the_sums_of_their_items(run, payments, rounds)
    sent_nets_are_posted_once(run, rounds)
    nobody_owes_more_than_its_cap(drawn, payments, rounds)


def money_is_constant(run: cs.Run) -> None:
    by_date = run.accounts.groupby("date")
    opening, closing = by_date.opening_fen.sum(), by_date.closing_fen.sum()
    assert set(opening) | set(closing) == {opening.iloc[0]}


def every_item_ends_at_most_once(drawn: Drawn, payments: list[dict[str, Any]]) -> None:
    names = Counter(row["payment_id"] for row in payments)
    assert set(names.values()) == {1}
    assert set(drawn.ids) <= set(names)
    for row in payments:
        if row["system"] in RETAIL:
            is_open = row["status"] == "PR11" and row["type"] in ANSWERED
            assert is_open or row["status"] in FINAL, row
            assert (row["ended_ms"] is None) == is_open, row
            assert (row["round"] is not None) == (row["netted_ms"] is not None) == (row["status"] in ("PR03", "PR23"))


def packages_are_whole(drawn: Drawn, payments: list[dict[str, Any]]) -> None:
    """But for what was done to one item after the whole was netted."""
    found = {row["payment_id"]: row for row in payments}
    for ids in drawn.packages.values():
        fates = set()
        for one in ids:
            row = found[one]
            status = "PR03" if row["status"] == "PR23" else row["status"]
            ended = row["netted_ms"] if status == "PR03" else row["ended_ms"]
            fates.add((status, row["reason"], ended, row["round"], row["released_by"]))
        assert len(fates) == 1, ids


def rounds_are_the_sums_of_their_items(
    run: cs.Run, payments: list[dict[str, Any]], rounds: list[dict[str, Any]]
) -> None:
    ends = [each["time_ms"] for each in run.manifest["rounds"]]
    sums: dict[tuple[int, str], int] = defaultdict(int)
    for row in payments:
        if row["round"] is None:
            continue
        number, netted = row["round"], row["netted_ms"]
        # The millisecond of a round is in it, but that of the date switch is after it.
        begins, end = ends[number - 2] if number > 1 else netted, ends[number - 1]
        assert begins <= netted <= end, row
        assert netted < end or end % DAY != SWITCH or row["released_by"], row
        sums[number, row["debtor"]] -= row["amount_fen"]
        sums[number, row["creditor"]] += row["amount_fen"]
    nets = {(row["round"], row["participant"]): row["net_fen"] for row in rounds}
    assert nets == {key: net for key, net in sums.items() if net}


def sent_nets_are_posted_once(run: cs.Run, rounds: list[dict[str, Any]]) -> None:
    posted: Counter[tuple[str, str, int, int]] = Counter()
    bookings = {row["payment_id"] for row in run.table("payments").to_pylist() if row["type"] == "NETS"}
    for row in run.table("transfers").to_pylist():
        if row["payment_id"] in bookings:
            posted[row["debtor"], row["creditor"], row["amount_fen"], row["time_ms"]] += 1
    due: Counter[tuple[str, str, int, int]] = Counter()
    for row in rounds:
        if row["sent_ms"] is None:
            assert row["settled_ms"] is None, row
            continue
        assert row["settled_ms"] >= row["sent_ms"] >= row["time_ms"], row
        assert row["settled_ms"] == row["sent_ms"] or row["net_fen"] < 0, "creditors are posted at once"
        sides = (row["participant"], "PBC-NETTING") if row["net_fen"] < 0 else ("PBC-NETTING", row["participant"])
        due[*sides, abs(row["net_fen"]), row["settled_ms"]] += 1
    assert posted == due


def nobody_owes_more_than_its_cap(drawn: Drawn, payments: list[dict[str, Any]], rounds: list[dict[str, Any]]) -> None:
    """What a bank has netted and SAPS has not posted, whenever it is changed by netting alone, as on days off.

    A credit that SAPS posts while the bank's own net waits for money may well leave it owing more.
    """
    changes: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    posted: dict[str, set[int]] = defaultdict(set)
    paid: dict[str, set[int]] = defaultdict(set)
    for row in payments:
        if row["netted_ms"] is not None:
            changes[row["debtor"]][row["netted_ms"]] -= row["amount_fen"]
            changes[row["creditor"]][row["netted_ms"]] += row["amount_fen"]
            paid[row["debtor"]].add(row["netted_ms"])
    for row in rounds:
        if row["settled_ms"] is not None:
            changes[row["participant"]][row["settled_ms"]] -= row["net_fen"]
            posted[row["participant"]].add(row["settled_ms"])
    for bank, cap in drawn.steady().items():
        standing = 0
        for time_ms in sorted(changes[bank]):
            standing += changes[bank][time_ms]
            if time_ms in paid[bank] - posted[bank]:
                assert standing >= -cap, (bank, time_ms)
