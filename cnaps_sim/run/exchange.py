"""The exchange: wires banks, network and centre together for a run whose payments travel as ISO 20022 messages."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from cnaps_sim.core.records import ANYBODY
from cnaps_sim.engine.clock import Rank
from cnaps_sim.engine.network import Network
from cnaps_sim.messages import credits, returns
from cnaps_sim.messages.envelope import CENTRE
from cnaps_sim.messages.sign import Keys
from cnaps_sim.messages.validate import Checked
from cnaps_sim.participants import recalls, requests
from cnaps_sim.participants.bank import Bank, Instructed
from cnaps_sim.run.held_messages import HeldMessages
from cnaps_sim.run.links import link_terms
from cnaps_sim.run.message_log import LogOfRun, Record
from cnaps_sim.run.message_replay import Replay
from cnaps_sim.run.population import place_of_payment
from cnaps_sim.run.retail.exchange import RetailExchange
from cnaps_sim.scenario import actions
from cnaps_sim.systems.account_orders import AccountOrders
from cnaps_sim.systems.centre import Centre, Register
from cnaps_sim.systems.enquiries import Enquiries
from cnaps_sim.systems.limit_reports import LimitReports
from cnaps_sim.systems.mail import ACCEPTED, Letter, Mail, can_travel
from cnaps_sim.systems.memory import PaymentIds, texts
from cnaps_sim.systems.notices import Notices
from cnaps_sim.systems.recalls import Recalls
from cnaps_sim.words.codes import Answer, Phase, Priority
from cnaps_sim.words.errors import InputError
from cnaps_sim.words.streams import Streams
from cnaps_sim.words.timetable import BusinessDay

if TYPE_CHECKING:
    from cnaps_sim.run.world import World

#: Name of the random stream that draws which payments travel, where only a sample does.
SAMPLE_STREAM: Final = "messages.sample"
_PRIORITY: Final = {7: Priority.NORM, 6: Priority.HIGH, 1: Priority.URGT}
#: Business type of a payment that has none.
_NO_TYPE: Final = "A100"


class Exchange:
    """Banks and centre of a run that talk in messages.

    rows:   the payments that travel, as rows of the flow, ascending
    replay: the folder of an earlier run's message log: what reached the centre then reaches it again, at the same
            instants, and the banks write nothing
    """

    def __init__(self, world: World, replay: Path | None = None) -> None:
        scenario = world.loaded.scenario
        self.world = world
        self.books = world.books
        self.flow = world.population.flow
        self.rows = chosen_rows(scenario.messages, len(self.flow), world.streams)
        self.all_travel = scenario.messages == 1
        self.log = LogOfRun()
        terms, own = link_terms(scenario.network)
        self.network = Network(world.clock, world.streams, terms, own)
        keys = Keys(scenario.seed) if scenario.network.signed else None
        self.mail = Mail(world.clock, self.network, world.timetable, self.log, keys)
        self.mail.on_given_up = self._given_up
        self.mail.on_refused = self._refused
        self.mail.on_under_way = self._under_way
        self.register = self._register()
        self.centre = Centre(self.books, world.recorder, self.mail, self.register, self._receiver)
        self.centre.on_answer = self._answered
        self.orders = AccountOrders(self.centre, self._before_limit)
        self.orders.before_term = self._before_term
        self.banks = {
            account: Bank(account, self.mail, scenario.seed, self._receive)
            for account, central in zip(
                world.directory.accounts, self.books.accounts["central_bank"].tolist(), strict=True
            )
            if not central
        }
        rows = {account: row for row, account in enumerate(world.directory.accounts) if account in self.banks}
        self.notices = Notices(self.centre, list(rows), list(rows.values()), world.timetable.business_days)
        Enquiries(self.centre, world.directory.accounts, self.notices.day, self._payment_id)
        LimitReports(self.centre, world.directory.accounts, None if world.retail is None else world.netting)
        Recalls(self.centre, world.saps, self._terms)
        self._agreed: dict[str, bool] = {}
        for action in scenario.actions:
            if not isinstance(action, actions.Recall | actions.AskStatus):
                continue
            sequence = self.register.sequences.get(action.payment)
            if sequence >= 0:
                if isinstance(action, actions.Recall):
                    self._agreed[action.payment] = action.agreed
                debtor = int(self.flow.rows["debtor"][sequence])
                self._bank_of(debtor).asked_back[action.payment] = None
        for bank in self.banks.values():
            bank.on_recall = self._on_recall
        self.held = HeldMessages(self)
        self.replay = None if replay is None else Replay(replay, world.clock, self._deliver_again, self._is_kept)
        self._left_under_way = 0
        self._waiting_for_answer: dict[tuple[str, str], Callable[[Answer], None]] = {}
        self.retail: RetailExchange | None = None
        if world.retail is not None:
            self.orders.may_set_earmark = world.retail.nets.may_set_earmark
        if world.retail is not None and self.all_travel:
            self.retail = RetailExchange(self, world.retail)
            self.orders.cancel_retail = self.retail.centre.cancel

    def _register(self) -> Register:
        accounts = self.world.directory.accounts
        for payment_id in texts(self.flow.payment_ids, self.rows):
            if not can_travel(payment_id):
                raise InputError(
                    place_of_payment(self.world.loaded, payment_id), "payment_id", "cannot travel in a message",
                    ascii(payment_id), "up to 35 printable characters, no blanks at the ends and no two together",
                )  # fmt: skip
        return Register(
            row_of={account: row for row, account in enumerate(accounts)},
            sequences=PaymentIds(self.flow.payment_ids, self.rows),
            payments=self.flow.rows,
            refusals=self.flow.rows["refusal"],
            specials=self.flow.rows["special"],
            taken=np.zeros(len(self.flow), np.bool_),
        )

    def _receiver(self, member: str) -> Callable[[bytes], str]:
        bank = self.banks.get(member)
        return self._central_bank if bank is None else bank.receive

    @staticmethod
    def _central_bank(_data: bytes) -> str:
        """The central bank's own accounts are told, too; they ask nothing back."""
        return ACCEPTED

    # payments -------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Put the messages of the run, or those of its log, on the clock."""
        self.held.start()
        if self.retail is not None:
            self.retail.start()
        for day in self.world.timetable.business_days:
            self.world.clock.call_at(day.window_end_ms, Rank.SAMPLE, self.give_up)
        if self.replay is not None:
            self.world.clock.process(self.replay.deliveries())

    def _receive(self, data: bytes) -> str:
        """Bytes reach the centre."""
        self.held.instruct_first()
        return self.centre.receive(data)

    def _deliver_again(self, data: bytes) -> None:
        self._receive(data)
        self.world.recorder.drain()

    def _is_kept(self, record: Record) -> bool:
        """Whether a message of the log carries a payment that its bank, by its policy, still keeps."""
        if record.iso not in (credits.PACS_008, credits.PACS_009):
            return False
        sequence = self.register.sequences.get(record.reference)
        return sequence >= 0 and self.held.is_kept(sequence)

    def give_up(self) -> None:
        """A date ends: see `HeldMessages.give_up`."""
        self.held.give_up()

    def is_link_perfect(self, debtor: int) -> bool:
        """Whether what a bank sends arrives once, at once."""
        return self.network.link(self.world.directory.accounts[debtor], to_centre=True).terms.is_perfect

    def post(self, row: int, was_kept: bool, has_policy: bool) -> None:
        """The message of a payment sets out; when a log is replayed it only arrives."""
        if self.replay is not None:
            if has_policy:
                self.replay.sent()
            return
        record = self.flow.rows[row]
        type_index = int(self.flow.type_index[row])
        creditor = self.world.directory.accounts[int(record["creditor"])]
        self._bank_of(int(record["debtor"])).pay(
            Instructed(
                sequence=row,
                payment_id=self.flow.payment_ids[row].as_py(),
                creditor=creditor if creditor in self.banks else CENTRE,
                amount_fen=int(record["amount"]),
                priority=_PRIORITY[int(record["level"])],
                type=self.flow.types[type_index] if type_index >= 0 else _NO_TYPE,
                kept=was_kept,
            )
        )

    def _payment_id(self, sequence: int) -> str:
        """The id of a payment of the flow; "" for a booking of the central bank."""
        return str(self.flow.payment_ids[sequence].as_py()) if sequence < len(self.flow) else ""

    def travels(self, sequence: int) -> bool:
        """Whether a payment of the flow travels as a message."""
        if self.all_travel:
            return sequence < len(self.flow)
        place = int(np.searchsorted(self.rows, sequence))
        return place < len(self.rows) and int(self.rows[place]) == sequence

    def _bank_of(self, row: int) -> Bank:
        return self.banks[self.world.directory.accounts[row]]

    # what everybody is told -------------------------------------------------------------------------------------

    def tell_phase(self, phase: Phase, special_session: bool) -> None:
        """The business day enters a phase."""
        if phase == Phase.PREPARATION:
            self.notices.start_day()
        self.notices.tell_phase(phase, special_session)

    def tell_statements(self, day: BusinessDay) -> None:
        """A business date is over."""
        self.notices.tell_statements(day)

    # orders ---------------------------------------------------------------------------------------------------

    def move(self, owner: int, sequence: int, payment_id: str, change: str, then: Callable[[Answer], None]) -> None:
        """A participant's order travels as camt.007; `then` is told the answer when the centre has acted."""
        bank = self._bank_of(owner)
        if self.replay is None:
            self._waiting_for_answer[bank.member, bank.move(payment_id, sequence, change)] = then
        else:
            self.replay.order(bank.member, payment_id)

    def cancel(self, owner: int, sequence: int, payment_id: str, then: Callable[[Answer], None]) -> None:
        """A participant's order travels as camt.008; `then` is told the answer when the centre has acted."""
        bank = self._bank_of(owner)
        if self.replay is None:
            self._waiting_for_answer[bank.member, bank.cancel(payment_id, sequence)] = then
        else:
            self.replay.order(bank.member, payment_id)

    @property
    def own_terms(self) -> tuple[str, ...]:
        """The terms that participants change by message: none where only a sample travels."""
        return tuple(requests.OWN_TERMS) if self.all_travel else ()

    def set_term(self, owner: int, field: str, fen: int, then: Callable[[Answer], None]) -> None:
        """A participant changes one of `own_terms`, which travels; `then` is told the answer."""
        bank = self._bank_of(owner)
        if self.replay is not None:
            self.replay.order(bank.member)
        else:
            now_fen = int(self.books.accounts[field][owner])
            self._waiting_for_answer[bank.member, requests.set_term(bank, field, now_fen, fen)] = then

    def set_limit(self, owner: int, towards: int, fen: int | None, then: Callable[[Answer], None]) -> None:
        """A participant's limit travels as camt.011, its end as camt.012; `then` is told the answer.

        towards: the row of the account that it is towards, or ANYBODY
        """
        bank = self._bank_of(owner)
        if self.replay is not None:
            self.replay.order(bank.member)
        else:
            whom = None if towards == ANYBODY else self.world.directory.accounts[towards]
            order = requests.set_limit(bank, whom, fen)
            self._waiting_for_answer[bank.member, order] = then

    def _before_limit(self, debtor: int, creditor: int, fen: int | None) -> None:
        """The centre is about to set a limit: the auditor hears of what came before it first."""
        self.world.recorder.drain()
        self.world.tell_auditor_of_bilateral_limit(debtor, creditor, fen)

    def _before_term(self, account: int, field: str, fen: int) -> None:
        """The same of a money term of an account."""
        self.world.recorder.drain()
        self.world.tell_auditor_of_limit(account, field, fen)

    def ask(self, owner: int, about: str) -> None:
        """A participant asks about its balance, its queue or the business day."""
        bank = self._bank_of(owner)
        if self.replay is None:
            requests.ask(bank, about)
        else:
            self.replay.order(bank.member)

    def recall(self, sequence: int, payment_id: str, then: Callable[[Answer], None]) -> None:
        """The sender asks for a payment; `then` is told if the centre does not pass it on."""
        debtor, creditor, amount = self._terms(sequence)
        bank = self._bank_of(debtor)
        original = bank.asked_back.get(payment_id)
        if self.replay is not None:
            self.replay.order(bank.member, payment_id)
            return
        if original is None:
            then(Answer.NOT_SETTLED)
            return
        wanted = recalls.Recalled(sequence, payment_id, amount, self.world.directory.accounts[creditor])
        self._waiting_for_answer[bank.member, recalls.ask_back(bank, wanted, original)] = then

    def _on_recall(self, bank: Bank, checked: Checked) -> None:
        """The bank that was paid answers as the scenario says."""
        wanted = returns.read_recall(checked.root).payments[0].transaction_id
        if self.replay is None:
            recalls.answer(bank, checked, self._agreed.get(wanted, False))

    def _terms(self, sequence: int) -> tuple[int, int, int]:
        row = self.flow.rows[sequence]
        return int(row["debtor"]), int(row["creditor"]), int(row["amount"])

    def ask_status(self, sequence: int, payment_id: str) -> None:
        """The sender asks where a payment stands."""
        bank = self._bank_of(self._terms(sequence)[0])
        if self.replay is None:
            requests.ask_status(bank, payment_id, bank.asked_back.get(payment_id))

    def await_answer(self, bank: Bank, order: str, then: Callable[[Answer], None]) -> None:
        """Have `then` told what the centre answers to a bank's order."""
        self._waiting_for_answer[bank.member, order] = then

    def _answered(self, checked: Checked, answer: Answer) -> None:
        then = self._waiting_for_answer.pop((checked.instructing, checked.business_id), None)
        if then is not None:
            then(answer)

    # what goes wrong on the way ---------------------------------------------------------------------------------

    def _given_up(self, letter: Letter, attempts: int) -> None:
        self._tell_of(letter, "message_lost", f"lost on its way, given up after {attempts} attempts")

    def _refused(self, letter: Letter, verdict: str) -> None:
        """The centre has refused a bank's message, mostly because the date it is of was over."""
        if letter.receiver == CENTRE:
            is_late = letter.business_id[:8] != f"{self.mail.working_date:%Y%m%d}"
            kind = "message_late" if is_late else "message_rejected"
            self._tell_of(letter, kind, f"arrived {'after its date ' * is_late}and was refused: {verdict}")

    def _under_way(self, letter: Letter) -> None:
        if letter.receiver == CENTRE:
            self._tell_of(letter, "message_late", "was on its way when the run ended")

    def _tell_of(self, letter: Letter, kind: str, fate: str) -> None:
        """An event about a message that nobody answers; an order that it carried is not waited for any more."""
        from_bank = letter.receiver == CENTRE
        self._waiting_for_answer.pop((letter.sender, letter.business_id), None)
        member = letter.sender if from_bank else letter.receiver
        way = f"from {member} to the centre" if from_bank else f"from the centre to {member}"
        now = int(self.world.clock.now)
        self.world.recorder.tell(now, kind, letter.reference or member, f"{letter.kind.iso} {way}: {fate}")

    # what is left behind ----------------------------------------------------------------------------------------

    def end(self) -> None:
        """The run is over: nothing arrives any more."""
        self._left_under_way += self.mail.close()
        if self.retail is not None:
            self.retail.end()

    def summary(self) -> dict[str, Any]:
        """What the manifest says of the messages; closes the log."""
        self.end()
        return {
            **self.log.close(),
            "payments": len(self.rows),
            **({} if self.retail is None else {"units": len(self.retail.register)}),
            "lost": self.mail.lost,
            "under_way": self._left_under_way,
            "given_up": self.mail.given_up,
            "resent": self.centre.resent,
            "refused": self.centre.refused + sum(bank.refused for bank in self.banks.values()),
        }


def chosen_rows(share: Decimal, count: int, streams: Streams) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The rows of a flow of `count` payments that travel as messages: all, or a sample drawn one by one."""
    if share == 1:
        return np.arange(count)
    return np.flatnonzero(streams[SAMPLE_STREAM].random(count) < float(share))
