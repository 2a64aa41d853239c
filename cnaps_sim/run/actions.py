"""Actions: what a scenario tells banks and the central bank to do at given moments.

Each action becomes one event of the clock. What the books refuse is an event of the run (`refusal`), never an
exception: the day goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from cnaps_sim.engine.clock import Rank
from cnaps_sim.run.retail.actions import CAP_FIELDS, RetailOrders
from cnaps_sim.run.tool_orders import ToolOrder, carry_out
from cnaps_sim.run.world import World
from cnaps_sim.scenario import actions as verbs
from cnaps_sim.words.codes import AccountStatus, Act, Answer, Level, Life
from cnaps_sim.words.errors import InputError, nearest
from cnaps_sim.words.units import format_clock, format_fen

#: An order of a participant about its own queued payment.
Order = verbs.MoveHead | verbs.MoveTail | verbs.Cancel | verbs.Reprioritise


def _words_of(action: Order) -> str:
    match action:
        case verbs.MoveHead():
            return "moved to the head of its level"
        case verbs.MoveTail():
            return "moved to the tail of its level"
        case verbs.Cancel():
            return "cancelled"
    return f"moved to the tail of level {int(action.priority.level)}"


def _change_of(action: verbs.MoveHead | verbs.MoveTail | verbs.Reprioritise) -> str:
    """What a camt.007 asks for."""
    match action:
        case verbs.MoveHead():
            return "QC00"
        case verbs.MoveTail():
            return "QC01"
    return action.priority.value


class Actions:
    """Carries out the scheduled actions of a scenario in a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.books = world.books
        self.recorder = world.recorder
        self.saps = world.saps
        self.sequences: dict[str, int] = {}
        self._reversed: set[int] = set()
        self.retail = None if world.retail is None else RetailOrders(world.retail)

    def schedule(self) -> None:
        """Put every action on the clock. InputError if one names a payment that does not exist."""
        first = self.world.loaded.scenario.date
        self._locate_retail()
        for number, action in enumerate(self.world.loaded.scenario.actions):
            if isinstance(action, verbs.OnPayment):
                self._find(action.payment, number)
            at_ms = action.at.ms(first)
            if isinstance(action, verbs.StopSending):
                self._schedule_stop(action, at_ms)
            elif isinstance(action, verbs.Match):
                if self.world.matching is not None:  # a rehearsal may be without
                    self.world.matching.command(at_ms)
            else:
                self.world.clock.call_at(at_ms, Rank.ACTION, self._act(action))

    def _locate_retail(self) -> None:
        """Find the retail payments that actions name, if there are any."""
        actions = self.world.loaded.scenario.actions
        ids = {action.payment for action in actions if isinstance(action, verbs.OnPayment)}
        if ids and self.retail is not None:
            known = self.world.population.flow.payment_ids
            here = known.filter(pc.is_in(known, pa.array(sorted(ids), pa.string()))).to_pylist()
            if ids.difference(here):
                self.retail.locate(ids.difference(here))

    def _find(self, payment_id: str, number: int) -> None:
        if self.retail is not None and self.retail.knows(payment_id):
            return
        ids = self.world.population.flow.payment_ids
        place = pc.index(ids, pa.scalar(payment_id, ids.type)).as_py()
        if place < 0:
            where = self.world.loaded.place_of(("actions", number, "payment"))
            close = nearest(payment_id, ids.slice(0, 20_000).to_pylist())
            raise InputError(where, f"actions.{number}.payment", "no such payment", payment_id, close)
        self.sequences[payment_id] = int(place)

    def _schedule_stop(self, action: verbs.StopSending, at_ms: int) -> None:
        """A bank that stops is a fault: it comes before the payments of that instant, and so does its return."""
        first = self.world.loaded.scenario.date
        day = self.world.timetable.business_days[self.world.timetable.day_index(at_ms)]
        until_ms = day.cut_off_ms if action.until is None else action.until.ms(first)
        account = self.saps.row[action.account]

        def stop() -> None:
            held_until_ms = int(self.books.accounts["hold_until_ms"][account])
            self.books.hold_sending(account, max(until_ms, held_until_ms))
            words = "for the rest of the day" if action.until is None else f"until {format_clock(until_ms)}"
            self._tell(action, f"stops sending {words}")

        def resume() -> None:
            if int(self.books.accounts["hold_until_ms"][account]) > until_ms:
                return  # a longer stop holds it back still
            self.recorder.drain()
            self.world.behaviours.outboxes.resume(account)
            self._tell(action, "sends again")

        self.world.clock.call_at(at_ms, Rank.FAULT, stop)
        if action.until is not None:
            self.world.clock.call_at(until_ms, Rank.FAULT, resume)

    def _act(self, action: verbs.Timed) -> Callable[[], None]:
        """The act of one action, with the log drained before it so that the auditor sees things in order."""

        def act() -> None:
            self.recorder.drain()
            self._carry_out(action)

        return act

    def _carry_out(self, action: verbs.Timed) -> None:
        if self.retail is not None and (self.retail.carry_out(action) or self._ordered_in_retail(action)):
            return
        if isinstance(action, ToolOrder):
            carry_out(self.world, action, partial(self._tell_answer, action))
            return
        match action:
            case verbs.MoveHead() | verbs.MoveTail() | verbs.Cancel() | verbs.Reprioritise():
                self._order(action)
            case verbs.Recall():
                self._recall(action)
            case verbs.Reverse():
                self._reverse(action)
            case verbs.Set():
                self._set(action)
            case verbs.DebitControl() | verbs.CreditControl():
                self._control(action)
            case verbs.LogIn():
                self.world.ccms.log_in(self._now(), self.saps.row[action.account])
                self._tell_netting_server(action.account)
            case verbs.LogOut():
                self.world.ccms.log_out(self._now(), self.saps.row[action.account])
                self._tell_netting_server(action.account)
            case verbs.SameCityNet():
                self._post_nets(action, Level.SAME_CITY_NET)
            case verbs.RoundNet():
                self._post_nets(action, Level.ROUND_NET)
            case verbs.Ask():
                self._ask(action)
            case verbs.AskStatus():
                self._ask_status(action)
            case verbs.Fee():
                for account in action.account:
                    self._tell_act(action, account, self.saps.fee(self._now(), self.saps.row[account], action.amount))
            case verbs.Inject() | verbs.CentralBankDebit() | verbs.CentralBankCredit():
                self._book(action)
            case _:
                raise AssertionError(f"no way to carry out {action!r}")

    def _ordered_in_retail(self, action: verbs.Timed) -> bool:
        """Whether it is an order about a payment of BEPS or IBPS; then it has been carried out, or refused."""
        if self.retail is None or not isinstance(action, verbs.OnPayment) or not self.retail.knows(action.payment):
            return False
        if isinstance(action, verbs.Cancel):
            self.retail.order_cancel(action.payment)
        elif isinstance(action, verbs.Recall):
            answer = self.retail.recall(action.payment, action.agreed)
            if answer != Answer.DONE:
                self.retail.tell(action.payment, answer, "recall", "")
        else:  # it stands in no settlement queue
            self._tell_answer(action, action.payment, Answer.NOT_WAITING, "")
        return True

    def _now(self) -> int:
        return int(self.world.clock.now)

    # orders of participants ---------------------------------------------------------------------------------

    def _order(self, action: Order) -> None:
        sequence = self.sequences[action.payment]
        owner = int(self.world.population.flow.rows["debtor"][sequence])
        now = self._now()
        if self._travels(action, sequence, owner):
            return
        if isinstance(action, verbs.MoveHead):
            answer = self.books.move_to_head(now, sequence, owner)
        elif isinstance(action, verbs.MoveTail):
            answer = self.books.move_to_tail(now, sequence, owner)
        elif isinstance(action, verbs.Cancel):
            answer = self.books.cancel(now, sequence, owner)
        else:
            answer = self.books.change_level(now, sequence, owner, int(action.priority.level))
        self._tell_answer(action, action.payment, answer, _words_of(action))

    def _travels(self, action: Order, sequence: int, owner: int) -> bool:
        """Where a payment travelled as a message, so does the order about it; its answer is told when it comes."""
        exchange = self.world.exchange
        if exchange is None or not exchange.travels(sequence):
            return False

        def then(answer: Answer) -> None:
            self._tell_answer(action, action.payment, answer, _words_of(action))

        if isinstance(action, verbs.Cancel):
            exchange.cancel(owner, sequence, action.payment, then)
        else:
            exchange.move(owner, sequence, action.payment, _change_of(action), then)
        return True

    def _reverse(self, action: verbs.Reverse) -> None:
        sequence = self.sequences[action.payment]
        if self.recorder.act_of(sequence) != Act.SETTLED:
            self.recorder.tell(self._now(), "refusal", action.payment, "not reversed: it has not settled")
        elif sequence in self._reversed:
            self.recorder.tell(
                self._now(), "refusal", action.payment, "not reversed: a reversal has been booked before"
            )
        else:
            row = self.world.population.flow.rows[sequence]
            act = self.saps.reverse(
                self._now(), sequence, int(row["debtor"]), int(row["creditor"]), int(row["amount"])
            )  # fmt: skip
            if act != Act.REFUSED:
                self._reversed.add(sequence)
            self._tell_act(action, action.payment, act)

    def _recall(self, action: verbs.Recall) -> None:
        """As messages where the payment travelled as one; else at once, as if they took no time."""
        sequence = self.sequences[action.payment]
        row = self.world.population.flow.rows[sequence]
        debtor, creditor, amount = int(row["debtor"]), int(row["creditor"]), int(row["amount"])
        exchange = self.world.exchange
        if exchange is not None and exchange.travels(sequence):
            exchange.recall(
                sequence, action.payment, lambda answer: self._tell_answer(action, action.payment, answer, "")
            )  # fmt: skip
            self.recorder.tell(self._now(), "action", action.payment, "recall: asked for")
            return
        answer = self.saps.may_be_sent_back(sequence)
        if answer != Answer.DONE:
            self._tell_answer(action, action.payment, answer, "")
            return
        self.recorder.tell(self._now(), "action", action.payment, "recall: asked for")
        if action.agreed:
            self.saps.return_payment(self._now(), sequence, debtor, creditor, amount)

    # the central bank -----------------------------------------------------------------------------------------

    def _set(self, action: verbs.Set) -> None:
        row = self.saps.row[action.account]
        if isinstance(action.value, AccountStatus):
            answer = self._set_status(row, action.value)
            self._tell_netting_server(action.account)
            words = f"status {action.value.value}"
        else:
            if self._set_by_message(action, row, action.value):
                return
            answer = self._set_money(row, action.field, action.value)
            words = f"{action.field} {format_fen(action.value)} CNY"
        self._tell_answer(action, action.account, answer, words)

    def _set_money(self, row: int, field: str, fen: int) -> Answer:
        if field in CAP_FIELDS:  # without retail payments a cap binds nothing
            return Answer.DONE if self.retail is None else self.retail.set_cap_field(row, field, fen)
        if field == "earmark" and self.world.retail is not None:
            answer = self.world.retail.nets.may_set_earmark(row, fen)
            if answer != Answer.DONE:
                return answer
        self.world.tell_auditor_of_limit(row, field, fen)
        answer = self.books.set_field(self._now(), row, field, fen)
        if answer != Answer.DONE:
            self.world.tell_auditor_of_limit(row, field, int(self.books.accounts[field][row]))
        return answer

    def _set_by_message(self, action: verbs.Set, row: int, fen: int) -> bool:
        """Where all payments travel as messages, so do a participant's orders about its own account."""
        exchange = self.world.exchange
        if (
            exchange is None
            or action.field not in exchange.own_terms
            or fen == int(self.books.accounts[action.field][row])
        ):
            return False
        words = f"{action.field} {format_fen(fen)} CNY"
        exchange.set_term(
            row, action.field, fen, lambda answer: self._tell_answer(action, action.account, answer, words)
        )
        return True

    def _tell_netting_server(self, account: str) -> None:
        if self.world.retail is not None:
            self.world.retail.account_changed(self.saps.row[account])

    def _set_status(self, row: int, status: AccountStatus) -> Answer:
        """AS04 and AS05 put a control on; any other status is the account's life and lifts no control."""
        now = self._now()
        retail = self.world.retail
        if status in (AccountStatus.AS00, AccountStatus.AS03) and retail is not None and not retail.nets.is_idle(row):
            return Answer.NOT_EMPTY
        if status == AccountStatus.AS04:
            self.world.tell_auditor_of_control(row, debit_control=True)
            return self.books.set_debit_control(now, row, True)
        if status == AccountStatus.AS05:
            return self.books.set_credit_control(now, row, True)
        life = Life(int(status.value[2:]))
        self.world.tell_auditor_of_control(row, life=life)
        answer = self.books.set_life(now, row, life)
        if answer != Answer.DONE:
            self.world.tell_auditor_of_control(row)
        if status == AccountStatus.AS01 and answer == Answer.DONE:
            self.world.tell_auditor_of_control(row, debit_control=False)
            self.books.set_debit_control(now, row, False)
            self.books.set_credit_control(now, row, False)
        return answer

    def _control(self, action: verbs.DebitControl | verbs.CreditControl) -> None:
        row, now = self.saps.row[action.account], self._now()
        if isinstance(action, verbs.DebitControl):
            self.world.tell_auditor_of_control(row, debit_control=action.on)
            self.books.set_debit_control(now, row, action.on)
            words = "debit control"
        else:
            self.books.set_credit_control(now, row, action.on)
            words = "credit control"
        self._tell(action, f"{words} {'on' if action.on else 'off'}")

    def _post_nets(self, action: verbs.SameCityNet | verbs.RoundNet, level: Level) -> None:
        nets = [(self.saps.row[net.account], net.net) for net in action.nets]
        refusal = self.saps.post_nets(self._now(), nets, level)
        if refusal:
            self.recorder.tell(self._now(), "refusal", "SAPS", f"table of nets refused: {refusal.sentence}")
            return
        total = sum(net for _, net in nets if net > 0)
        self.recorder.tell(
            self._now(),
            "action",
            "SAPS",
            f"{len(nets)} nets, {format_fen(total)} CNY to receive, at level {int(level)}",
        )

    def _book(self, action: verbs.Inject | verbs.CentralBankDebit | verbs.CentralBankCredit) -> None:
        row, now = self.saps.row[action.account], self._now()
        if isinstance(action, verbs.Inject):
            refusal = self.saps.inject(now, row, action.amount)
            if refusal:
                self.recorder.tell(now, "refusal", action.account, f"inject refused: {refusal.sentence}")
            else:
                self._tell(action, f"{format_fen(action.amount)} CNY injected")
        elif isinstance(action, verbs.CentralBankDebit):
            self._tell_act(action, action.account, self.saps.central_bank_debit(now, row, action.amount))
        else:
            self._tell_act(action, action.account, self.saps.central_bank_credit(now, row, action.amount))

    def _ask(self, action: verbs.Ask) -> None:
        assert self.world.exchange is not None, "a scenario without messages has no questions"
        self.world.exchange.ask(self.saps.row[action.account], action.about)
        self._tell(action, f"asks the centre about its {action.about}")

    def _ask_status(self, action: verbs.AskStatus) -> None:
        assert self.world.exchange is not None, "a scenario without messages has no questions"
        if self.world.exchange.travels(self.sequences[action.payment]):
            self.world.exchange.ask_status(self.sequences[action.payment], action.payment)
            self.recorder.tell(self._now(), "action", action.payment, "its status is asked for")
        else:
            self.recorder.tell(self._now(), "refusal", action.payment, "not asked for: it did not travel as a message")

    # telling -----------------------------------------------------------------------------------------------------

    def _tell(self, action: verbs.OnAccount, words: str) -> None:
        self.recorder.tell(self._now(), "action", action.account, words)

    def _tell_answer(self, action: verbs.Timed, subject: str, answer: Answer, words: str) -> None:
        if answer == Answer.DONE:
            self.recorder.tell(self._now(), "action", subject, words)
        else:
            verb = str(getattr(action, "do", "")).replace("_", " ")
            self.recorder.tell(self._now(), "refusal", subject, f"{verb} refused: {answer.sentence}")

    def _tell_act(self, action: verbs.Timed, subject: str, act: Act) -> None:
        verb = str(getattr(action, "do", "")).replace("_", " ")
        if act == Act.REFUSED:
            self.recorder.tell(self._now(), "refusal", subject, f"{verb} refused")
        else:
            self.recorder.tell(self._now(), "action", subject, f"{verb}: {act.name.lower()}")
