"""The story of one item of BEPS or IBPS: answered, checked against the cap, queued, netted, and where its net went."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cnaps_sim.analysis.explain.matching import matching_of
from cnaps_sim.analysis.explain.retail_why import absence, is_outside, outside_words, over_line, untimely
from cnaps_sim.analysis.explain.tables import Told
from cnaps_sim.analysis.metrics.caps import samples_of
from cnaps_sim.analysis.metrics.columns import NONE, Columns, as_date, columns_of, has_table
from cnaps_sim.analysis.metrics.items import recorded_systems
from cnaps_sim.analysis.metrics.payments import RETAIL_SYSTEMS, Payments, payments_of, rows_with_id
from cnaps_sim.analysis.metrics.rounds import nets_of, rounds_of
from cnaps_sim.analysis.phrases import cny, joined, span
from cnaps_sim.words.codes import Refusal, Status, System
from cnaps_sim.words.errors import InputError
from cnaps_sim.words.retail import RetailKind
from cnaps_sim.words.retail_days import RoundKind
from cnaps_sim.words.units import format_clock

#: Refusals by the ISO reason and the CNAPS reason that the table tells.
_WHY: Final = {(str(each.reason or ""), each.iso): each for each in reversed(Refusal) if each}
#: What each kind of round is called.
_ROUND_WORDS: Final = {
    RoundKind.FIRST: "the first of",
    RoundKind.INTRADAY: "one within",
    RoundKind.LAST: "the last of",
    RoundKind.ONLY: "the only one of",
}


def find_item(run: Any, payment_id: str) -> dict[str, Any] | None:
    """The row of a retail item; None if none has this id. Large tables are read part by part."""
    if not recorded_systems(run):
        return None
    for part in _parts(run):
        rows = rows_with_id(part.column("payment_id"), payment_id, strict=False)
        for row in part.take(pa.array(rows, pa.int64())).to_pylist():
            if row["system"] in RETAIL_SYSTEMS:
                return dict(row)
    return None


def _parts(run: Any) -> Iterator[pa.Table]:
    batches = getattr(run, "batches", None)
    yield from [run.table("payments")] if batches is None else batches("payments")


def refuse_unrecorded(run: Any, payment_id: str) -> None:
    """InputError if the payment may well be one of BEPS or IBPS, whose items the run did not record."""
    cleared, recorded = run.manifest.get("outcomes") or {}, recorded_systems(run)
    missing = [name for name in cleared if name not in recorded]
    if missing and (payment_id[:1] in "BI" or not recorded):
        allowed = f"a run with `record: {{{', '.join(f'{name}: payments' for name in missing)}}}`"
        problem = f"is not among the payments; items of {joined(missing)} were not recorded"
        raise InputError("payment_id", "", problem, payment_id, allowed)


class Net(NamedTuple):
    """A participant's net of one round; times in ms, None where they have not come."""

    account: str
    fen: int
    sent: int | None
    settled: int | None

    def sentence(self, booking: str) -> str:
        """What became of it."""
        side = "to pay" if self.fen < 0 else "to receive"
        words = f"{self.account}'s net of it was {cny(abs(self.fen))} {side}{booking}"
        if self.sent is None:
            return f"{words}; it had not been sent to SAPS when the run stopped."
        words += f"; sent to SAPS at {format_clock(self.sent)}"
        if self.settled is None:
            return f"{words}, it still waited at level 4 when the run stopped."
        if self.settled == self.sent:
            return f"{words} and posted at once (PR04)."
        return (
            f"{words}, posted at {format_clock(self.settled)} after {span(self.settled - self.sent)} at level 4 (PR04)."
        )


class RoundStory:
    """What is to be told of a round: when and what it was, and a participant's net of it."""

    def __init__(self, run: Any, number: int) -> None:
        self.run, self.number = run, number
        found = rounds_of(run, {"round": number})
        if not found.count:
            raise InputError("manifest.json", "rounds", "does not know a round of the payments", number)
        self.time = int(found.numbers("time_ms")[0])
        date, kind = found.codes("date"), found.codes("kind")
        self.date = as_date(date.labels[date.codes[0]])
        self.kind = RoundKind(kind.labels[kind.codes[0]])
        self._nets, _ = nets_of(run, found)

    @property
    def name(self) -> str:
        """The round by its number and its place in its retail date."""
        return f"round {self.number} (场次), {_ROUND_WORDS[self.kind]} {self.date.isoformat()}"

    def net(self, account: str) -> Net | None:
        """The net of one participant; None if it had none."""
        column = self._nets.codes("participant")
        if account not in column.labels:
            return None
        rows = np.flatnonzero(column.codes == column.labels.index(account))
        if not len(rows):
            return None
        row = rows[0]
        times = [int(part[row]) for part in (self._nets.sent, self._nets.settled)]
        sent, settled = (None if time == NONE else time for time in times)
        return Net(account, int(self._nets.net[row]), sent, settled)


class RetailStory:
    """Tells one item from its row of the table of payments."""

    def __init__(self, run: Any, row: dict[str, Any], told: Told) -> None:
        self.run, self.row, self.told = run, row, told
        kind = RetailKind.of_code(str(row["type"]))
        if kind is None:
            raise InputError("table", "payments.type", "is no kind of retail business", row["type"])
        self.kind = kind
        self.debtor, self.creditor = str(row["debtor"]), str(row["creditor"])
        self.status = Status(row["status"])
        self.netted: int | None = row["netted_ms"]
        self.ended: int | None = row["ended_ms"]
        self.starter, self.answering = (self.debtor, self.creditor)[:: -1 if kind.is_debit else 1]
        self.is_open = self.status == Status.PR11 and kind.has_reply

    def sentences(self) -> list[str]:
        """All sentences in order of time."""
        return [self._what(), self._sending(), *self._check(), *self._events(), *self._end(), *self._round()]

    def _what(self) -> str:
        row, kind = self.row, self.kind
        words = f"{row['payment_id']} is {'an' if row['system'] == 'IBPS' else 'a'} {row['system']} payment of "
        words += f"{cny(row['amount_fen'])} from {self.debtor} to {self.creditor}, {kind.english} ({kind.chinese})"
        if row["on_behalf_of"]:
            words += f", on behalf of {row['on_behalf_of']}"
        return f"{words}, of the retail date {as_date(row['date']).isoformat()}."

    def _sending(self) -> str:
        package = ", in a package (包) that is checked and netted as one," if self.row["system"] == System.BEPS else ""
        submitted = self.row["submitted_ms"]
        words = f"{self.starter} submitted it{package} at {format_clock(submitted)}"
        if is_outside(self.run, submitted) and submitted == self.ended:
            return f"{words}, {outside_words(self.run)}."
        if not self.kind.has_reply:
            return f"{words}; the cap was checked at that moment."
        return f"{words}; it needs the answer of {self.answering}, and the cap is checked when that comes."

    @property
    def _queued(self) -> bool:
        """Did it stand in the cap queue?"""
        return self.row["released_by"] is not None or (self.status in (Status.PR08, Status.PR11) and not self.is_open)

    def _refusal(self) -> Refusal | None:
        if self.status == Status.PR08:
            return Refusal.CAP_QUEUE_CLOSED if self.row["reason"] else None
        if self.status == Status.PR09 and self.row["reason_iso"] == Refusal.LOGGED_OUT.iso:
            return untimely(self.run, self.row, self.told, self.starter)
        return _WHY.get((self.row["reason"] or "", self.row["reason_iso"] or ""))

    def _check(self) -> list[str]:
        """The answer and the cap check."""
        refusal = self._refusal()
        checked = self.row["submitted_ms"] if self._queued else self.ended
        if (
            self.is_open
            or self.status == Status.PR21
            or (self.status in (Status.PR09, Status.PR32) and refusal != Refusal.CAP)
        ):
            return []
        told = []
        if self.kind.has_reply:
            came = self.netted if self.netted is not None else self.ended
            if self._queued or came is None:
                told.append(f"{self.answering} agreed; the run does not record when.")
                checked = None
            else:
                way = span(came - self.row["submitted_ms"])
                told.append(f"{self.answering} agreed after {way}, at {format_clock(came)}.")
        if refusal == Refusal.CAP:
            told.append(f"{self.debtor} was short of headroom (可用额度){self._headroom(self.ended)}.")
        elif self._queued:
            told.append(
                f"{self.debtor} was short of headroom (可用额度){self._headroom(checked)}; the package had to wait in "
                f"the cap queue (轧差排队, PR11), where the smallest amount comes first."
            )
        return told

    def _headroom(self, time: int | None) -> str:
        """The sample before an instant, in words; nothing where the run has none."""
        if time is None or not has_table(self.run, "series"):
            return ""
        samples = samples_of(self.run)
        place = int(np.searchsorted(samples.time, time)) - 1
        if place < 0 or self.debtor not in samples.accounts:
            return ""
        column = samples.accounts.index(self.debtor)
        had, cap = int(samples.headroom[place, column]), int(samples.cap[place, column])
        return f"; at {format_clock(int(samples.time[place]))} it had had {cny(had)}, with a cap of {cny(cap)}"

    def _events(self) -> list[str]:
        events = self.told.about(str(self.row["payment_id"]), ("action", "refusal"))
        return [f"At {format_clock(event.time)}: {event.detail}." for event in events]

    def _end(self) -> list[str]:
        if self.netted is not None:
            return [*self._release(), self._finality(), *self._aftermath()]
        if self.is_open:
            return [
                *self._absence(),
                f"When the run ended {self.answering} had not answered it, and its time limit had not run out: it is "
                "still open (PR11).",
            ]
        if self.status == Status.PR11:
            return ["When the run stopped it still waited there."]
        at = "an unknown time" if self.ended is None else format_clock(self.ended)
        if self.status == Status.PR08 and self.row["reason"]:
            return [f"It was still there at the date switch (日切), {at}, and was cancelled (PR08, RJ94, AM23)."]
        if self.status == Status.PR08:
            return [f"Its sender cancelled it, with its whole package, at {at} (PR08)."]
        if self.status == Status.PR21:
            return [f"Its sender stopped it before it was netted (止付) at {at} (PR21)."]
        refusal = self._refusal()
        why = refusal.sentence if refusal else "no reason is recorded"
        if refusal == Refusal.PAYER_BANK and not self.kind.is_debit:
            why = over_line(self.run, self.row) or why
        codes = ", ".join(code for code in (self.status.value, self.row["reason"], self.row["reason_iso"]) if code)
        after = span(self.ended - self.row["submitted_ms"]) if self.ended is not None else ""
        late = f", {after} after it was submitted" if after and after != "0 ms" else ""
        expired = self.status == Status.PR32
        word = "It expired" if expired else "It was refused"
        return [*(self._absence() if expired else ()), f"{word} at {at}{late}: {why} ({codes}); nothing was netted."]

    def _absence(self) -> list[str]:
        words = absence(self.told, self.answering, self.row["submitted_ms"], self.ended)
        return [] if words is None else [words]

    def _finality(self) -> str:
        assert self.netted is not None
        waited = span(self.netted - self.row["submitted_ms"])
        after = f", {waited} after it was submitted" if waited != "0 ms" else ""
        easy = "" if self._queued else f"{self.debtor}'s headroom was enough: "
        words = f"it was netted (轧差) at {format_clock(self.netted)}{after}, and was final then (PR03)."
        return easy + words if easy else words[0].upper() + words[1:]

    def _aftermath(self) -> list[str]:
        if self.status not in (Status.PR22, Status.PR23) or self.ended is None:
            return []
        how = "reversed" if self.status == Status.PR22 else "sent back"
        return [f"At {format_clock(self.ended)} it was {how} by a payment of its own ({self.status.value})."]

    def _release(self) -> list[str]:
        cause = self.row["released_by"]
        if cause is None:
            return []
        number = matching_of(cause)
        if number is not None:
            return [f"Matching {number} of the cap queues (业务撮合) netted it together with others."]
        if cause == "round":
            return [f"SAPS had posted a net of {self.debtor}, which raised its headroom and released it."]
        if cause == "limit":
            return [f"A change of {self.debtor}'s net debit cap (净借记限额) released it."]
        other = find_item(self.run, cause)
        if other is None:
            return [f"It was released by {cause}."]
        return [
            f"The package of {cause}, from {other['debtor']} to {other['creditor']}, was netted at "
            f"{format_clock(other['netted_ms'])}; that credited {other['creditor']} and released it."
        ]

    def _round(self) -> list[str]:
        number = self.row["round"]
        if number is None:
            return []
        story = RoundStory(self.run, number)
        told = [f"It counted in {story.name}, at {format_clock(story.time)}."]
        for account in (self.debtor, self.creditor):
            net = story.net(account)
            if net is None:
                told.append(f"{account} had no net in it.")
            else:
                told.append(net.sentence(booking_of(self.run, net)))
        return told

    def facts(self) -> dict[str, Any]:
        """The same as numbers."""
        keys = (
            "system", "debtor", "creditor", "amount_fen", "type", "status", "reason", "reason_iso", "submitted_ms",
            "netted_ms", "ended_ms", "round", "released_by",
        )  # fmt: skip
        return {key: self.row[key] for key in keys}


def booking_of(run: Any, net: Net) -> str:
    """The id of the booking that carried a net through SAPS, in brackets; nothing where the run does not tell."""
    if net.sent is None or "payments" not in run.manifest.get("tables", {}):
        return ""
    payments = payments_of(run)
    side = payments.codes("debtor" if net.fen < 0 else "creditor")
    if net.account not in side.labels:
        return ""
    mine = side.codes == side.labels.index(net.account)
    rows = np.flatnonzero(mine & (payments.submitted == net.sent) & (payments.amount == abs(net.fen)) & ~payments.own)
    return f" ({payments.table.column('payment_id')[int(rows[0])].as_py()})" if len(rows) else ""


def net_sentences(run: Any, payments: Payments, row: int) -> list[str]:
    """Of which round a booking of SAPS is the net, and how it came there; nothing if it is none."""
    if not run.manifest.get("rounds") or not has_table(run, "rounds") or payments.own[row]:
        return []
    nets = columns_of(run, "rounds", Columns)
    fen, time = int(payments.amount[row]), int(payments.submitted[row])
    sent = pc.equal(nets.table.column("sent_ms"), time).fill_null(False).to_numpy()
    for side, net in (("debtor", -fen), ("creditor", fen)):
        column = payments.codes(side)
        account = column.labels[column.codes[row]]
        names = nets.codes("participant")
        if account not in names.labels:
            continue
        found = np.flatnonzero(
            sent & (names.codes == names.labels.index(account)) & (nets.numbers("net_fen") == net)
        )  # fmt: skip
        if len(found):
            return _of_round(run, int(nets.numbers("round")[found[0]]), str(account), net, time)
    return []


def _of_round(run: Any, number: int, account: str, net: int, sent: int) -> list[str]:
    story = RoundStory(run, number)
    netted = next(each["netted"] for each in run.manifest["rounds"] if each["round"] == number)
    items = sum(part["count"] for part in netted.values())
    value = sum(part["value_fen"] for part in netted.values())
    side = "had to pay" if net < 0 else "was to receive"
    held = f"; it was held for {span(sent - story.time)} before SAPS took it" if sent > story.time else ""
    return [
        f"It is the net (轧差净额) that {account} {side} in {story.name}, at {format_clock(story.time)}; of all "
        f"participants together that round netted {items:,} items, {cny(value)}{held}."
    ]
