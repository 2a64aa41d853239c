"""The exchange of BEPS and IBPS: banks send every unit as a message, answer one another, and the centre nets."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from cnaps_sim.core.records import Records
from cnaps_sim.engine.clock import Process, Rank
from cnaps_sim.messages import returns, status
from cnaps_sim.messages.parts import OriginalMessage
from cnaps_sim.messages.validate import Checked
from cnaps_sim.participants import retail_bank
from cnaps_sim.participants.bank import Bank
from cnaps_sim.participants.retail_bank import MOST_PAYMENTS, Asked, Unit
from cnaps_sim.run.population import place_of_payment
from cnaps_sim.run.retail.population import retail_terms
from cnaps_sim.systems.mail import RETAIL_SYSTEMS, can_travel
from cnaps_sim.systems.net_notices import NetNotices
from cnaps_sim.systems.retail_centre import RetailCentre
from cnaps_sim.systems.retail_register import NO_REPLY, RetailRegister, Standing
from cnaps_sim.systems.retail_terms import RetailLimits
from cnaps_sim.words.codes import Act, Answer, Refusal
from cnaps_sim.words.errors import InputError
from cnaps_sim.workload.retail_amended import Return
from cnaps_sim.workload.retail_chunk import Integers

if TYPE_CHECKING:
    from cnaps_sim.run.exchange import Exchange
    from cnaps_sim.run.retail.clearing import RetailClearing

#: An answer of the answering bank that has not left yet: kept by unit.
_Pending = dict[int, Asked]


class RetailExchange:
    """Banks and centre of a run whose retail units travel as messages."""

    def __init__(self, exchange: Exchange, clearing: RetailClearing) -> None:
        self.exchange = exchange
        self.clearing = clearing
        self.clock = exchange.world.clock
        self.days = clearing.stream.dates
        accounts = exchange.world.directory.accounts
        self.register = RetailRegister(clearing.stream, accounts)
        self._check_ids()
        exchange.mail.follow_retail(self.days)
        self.terms = retail_terms(exchange.world.loaded)
        self.centre = RetailCentre(
            exchange.centre,
            clearing.netting,
            clearing.recorder,
            self.register,
            RetailLimits(self.terms.beps.package_limit, self.terms.item_limit, exchange.banks.__contains__),
            self._limit_ms,
            clearing.limits.run_ends_ms,
        )
        self.centre.on_stop = lambda unit: clearing.stop(unit, int(self.register.rows["time_ms"][unit]))
        if clearing.auditor is not None:
            self.centre.on_refusal = clearing.auditor.see_refusal
            self.centre.on_check = clearing.auditor.see_arrival
        self._sent: dict[int, OriginalMessage] = {}
        self._pending: _Pending = {}
        for bank in exchange.banks.values():
            bank.on_retail = self._read
        self.notices = NetNotices(
            exchange.centre,
            accounts,
            frozenset(row for row, account in enumerate(accounts) if account in exchange.banks),
            self.days,
        )
        self._listen()

    def _check_ids(self) -> None:
        for payment_id in self.register.ids.to_pylist():
            if not can_travel(payment_id):
                raise InputError(
                    place_of_payment(self.exchange.world.loaded, payment_id), "payment_id",
                    "cannot travel in a message", ascii(payment_id),
                    "up to 35 printable characters, no blanks at the ends and no two together",
                )  # fmt: skip

    def _listen(self) -> None:
        """Hear of rounds, of nets that are posted and of caps, after the auditor."""
        nets = self.clearing.nets
        tell_sent, tell_posted, tell_cap = nets.on_sent, nets.on_posted, nets.on_cap

        def sent(closed: Any) -> None:
            tell_sent(closed)
            self.notices.tell_saps(closed)

        def posted(closed: Any, row: int, time_ms: int) -> None:
            tell_posted(closed, row, time_ms)
            self.notices.tell_posted(closed, row, time_ms)

        def cap(time_ms: int, row: int, fen: int) -> None:
            tell_cap(time_ms, row, fen)
            self.notices.tell_cap(row, fen)

        nets.on_sent, nets.on_posted, nets.on_cap = sent, posted, cap

    def start(self) -> None:
        """Put all units on the clock."""
        if self.clearing.auditor is not None and len(self.register):
            self.clearing.auditor.see_chunk(self.register.rows, 0, len(self.register))
        begins_ms = self.days[0].begins_ms
        times_ms = np.where(self.register.outside, self.register.rows["time_ms"], self.register.sent_ms)
        order = np.argsort(times_ms, kind="stable")
        earlier = order[times_ms[order] < begins_ms].tolist()
        for unit in earlier:
            self._carry_over(unit)
        later = order[len(earlier) :]
        self.clock.process(self._submissions(later, times_ms[later]))
        for day in self.days:
            self.clock.call_at(day.ends_ms - 1, Rank.SAMPLE, self._give_up(day.begins_ms, day.ends_ms))

    # sending ------------------------------------------------------------------------------------------------------

    def _submissions(self, order: Any, times: Integers) -> Process:
        """Every unit of the run, at the instant at which its bank sends it."""
        ends = np.append(np.flatnonzero(np.diff(times)) + 1, len(times)) if len(times) else times
        start = 0
        for end in map(int, ends):
            yield self.clock.at(int(times[start]), Rank.ARRIVAL)
            for unit in order[start:end].tolist():
                self._submit(unit)
            start = end

    def _submit(self, unit: int) -> None:
        """The bank that starts it sends it, or refuses it itself: a client's line, more than a message can hold.

        Nothing travels before or after the run: what was sent then is refused as its row says.
        """
        register = self.register
        stays = register.outside[unit] or register.refused_by_starter(unit)
        if stays or register.rows["items"][unit] > MOST_PAYMENTS:
            self.centre.check(unit, int(register.rows["refusal"][unit]))
        elif self.exchange.replay is None:
            bank = self._bank_of(register.starter(unit))
            self._sent[unit] = retail_bank.send(bank, self._unit(unit))

    def _unit(self, unit: int) -> Unit:
        other = self.register.accounts[self.register.answerer(unit)]
        return Unit(unit, self.register.kind(unit), other, self.register.items(unit))

    def _carry_over(self, unit: int) -> None:
        """A unit that was sent before the run began: it waits for its reply, or for its limit."""
        register, row = self.register, self.register.rows[unit]
        bank = self._bank_of(register.starter(unit))
        sent_at = self.exchange.mail.moment(int(register.sent_ms[unit]))
        original = retail_bank.sent_before(bank, self._unit(unit), sent_at.date())
        register.originals[unit] = original
        self.centre.expect(unit)
        if row["refusal"] not in NO_REPLY and self.exchange.replay is None:
            asked = Asked(unit, register.kind(unit), bank.member, original.message, original.transactions)
            self._answer_at(int(row["time_ms"]), asked)

    def _give_up(self, begins_ms: int, ends_ms: int) -> Callable[[], None]:
        """A retail date ends: what was sent in it and has not arrived comes too late, if it comes at all (TM01)."""

        def give_up() -> None:
            for unit in self.register.unsent_or_lost(begins_ms, ends_ms):
                self.register.arrived_ms[unit] = int(self.clock.now)
                self.centre.check(unit, Refusal.OUT_OF_HOURS)

        return give_up

    def _limit_ms(self, unit: int) -> int:
        """When a unit that has arrived expires, if that is within the run."""
        register = self.register
        kinds, arrived_ms = register.rows["kind"][unit : unit + 1], register.arrived_ms[unit : unit + 1]
        return int(self.clearing.limits.ends_ms(kinds, arrived_ms)[0])

    # answering ----------------------------------------------------------------------------------------------------

    def _read(self, bank: Bank, checked: Checked) -> bool:
        """Whether a message to a bank is of BEPS or IBPS; then the bank has done what it asks."""
        if checked.kind.system not in RETAIL_SYSTEMS:
            return False
        if self.exchange.replay is not None or checked.kind.iso in (returns.CAMT_029, status.PACS_002):
            return True
        if checked.kind.iso == returns.CAMT_056:
            self._drop(bank, checked)
            return True
        asked = retail_bank.asked_by(checked, -1)
        unit = self.register.unit_of(asked.transactions[0].transaction_id)
        refusal = int(self.register.rows["refusal"][unit])
        if self.register.needs_reply(unit) and refusal not in NO_REPLY:
            leaves_ms = int(self.clock.now) + int(self.register.rows["lag_ms"][unit])
            self._answer_at(leaves_ms, Asked(unit, asked.kind, asked.starter, asked.message, asked.transactions))
        return True

    def _answer_at(self, time_ms: int, asked: Asked) -> None:
        """The bank that was asked makes up its mind; its answer is what the flow of units says."""
        unit = asked.unit
        self._pending[unit] = asked

        def answer() -> None:
            if self._pending.pop(unit, None) is not None:
                bank = self._bank_of(self.register.answerer(unit))
                retail_bank.reply(bank, asked, Refusal(int(self.register.rows["refusal"][unit])))

        self.clock.call_at(time_ms, Rank.ARRIVAL, answer)

    def _drop(self, bank: Bank, checked: Checked) -> None:
        """A unit is stopped before this bank has answered it."""
        wanted = returns.read_recall(checked.root).payments[0].transaction_id
        self._pending.pop(self.register.unit_of(wanted), None)
        retail_bank.answer_stop(bank, checked)

    # orders -------------------------------------------------------------------------------------------------------

    def stop(self, payment_id: str, then: Callable[[Answer], None]) -> None:
        """The bank that started a unit has it stopped (止付); `then` is told the answer when the centre has acted."""
        unit = self.register.unit_of(payment_id)
        bank = self._bank_of(self.register.starter(unit))
        if self.exchange.replay is not None:
            self.exchange.replay.order(bank.member, payment_id)
            return
        original = self._sent.get(unit)
        if original is None and unit in self.register.originals:
            original = self.register.originals[unit].message
        if original is None:  # nothing of it has been sent
            then(Answer.NOT_WAITING)
            return
        other = self.register.accounts[self.register.answerer(unit)]
        self.exchange.await_answer(bank, retail_bank.stop(bank, payment_id, other, original), then)

    def cancel(self, payment_id: str, then: Callable[[Answer], None]) -> None:
        """The bank that started a package withdraws it while it waits for headroom; as a message."""
        unit = self.register.unit_of(payment_id)
        bank = self._bank_of(self.register.starter(unit))
        if self.exchange.replay is not None:
            self.exchange.replay.order(bank.member, payment_id)
        else:
            self.exchange.await_answer(bank, bank.cancel(payment_id, -1), then)

    def _bank_of(self, row: int) -> Bank:
        return self.exchange.banks[self.register.accounts[row]]

    def is_netted(self, unit: int) -> bool:
        """Whether a unit of the stream beneath has been netted."""
        return int(self.register.acts[unit]) == Act.NETTED

    def send_back(self, sent: Return) -> None:
        """A netted item comes back as a unit of its own, now; it takes no message.

        While the run goes on it is numbered after all others.
        """
        unit = len(self.register) + len(self.clearing.stream.returns) - 1
        row = sent.as_row()
        if self.clearing.auditor is not None:
            self.clearing.auditor.see_chunk(row, unit, unit + 1)
        self.clearing.netting.submit(
            sent.time_ms, unit, sent.debtor, sent.creditor, sent.amount, 1, int(sent.kind), Refusal.NONE
        )  # fmt: skip
        self.clearing.recorder.drain()

    def end(self) -> None:
        """The run is over: results tell when each unit reached the centre, and call units as the stream does."""
        if self.clearing.stream.arrived_ms is not None:
            return
        assert (self.register.standing == Standing.CHECKED).all(), "every unit comes to its cap check"
        stream, rows = self.clearing.stream, self.register.rows
        returned_ms = np.array([sent.time_ms for sent in stream.returns], np.int64)
        own = np.arange(len(rows)) + np.searchsorted(returned_ms, rows["time_ms"], side="left")
        numbers = np.concatenate([own, np.array(stream.units_of_returns(), np.int64)])
        arrived_ms = np.empty(len(numbers), np.int64)
        arrived_ms[numbers] = np.concatenate([self.register.arrived_ms, returned_ms])
        if stream.returns:
            self.clearing.recorder.log = [_renumbered(log, numbers) for log in self.clearing.recorder.log]
        stream.arrived_ms = arrived_ms


def _renumbered(log: Records, numbers: Integers) -> Records:
    """The entries with other numbers for units, and for the units that released others."""
    log = log.copy()
    log["unit"] = numbers[log["unit"]]
    by_unit = log["cause"] >= 0
    log["cause"][by_unit] = numbers[log["cause"][by_unit]]
    return log
