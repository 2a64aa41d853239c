"""How a payment ended: refused, sent back, cancelled or settled, and what released it."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from cnaps_sim.analysis.explain.account import Control, DebtorAccount
from cnaps_sim.analysis.explain.cover import Cover
from cnaps_sim.analysis.explain.matching import MatchingStory, matching_of
from cnaps_sim.analysis.explain.queue import EXEMPT, Line
from cnaps_sim.analysis.explain.tables import Told, day_of_payment
from cnaps_sim.analysis.metrics.columns import NONE, Run
from cnaps_sim.analysis.metrics.payments import CANCELLED, QUEUED, REJECTED, RETURNED, rows_with_id
from cnaps_sim.analysis.phrases import BY_REASON, LIMITS, RELEASED, TERMS, cny, joined, span
from cnaps_sim.words.business_types import SPECIAL_SESSION_TYPES
from cnaps_sim.words.codes import HVPS_LEVELS, Discipline, Phase, Reason, Refusal
from cnaps_sim.words.units import format_clock

#: How the events of an account tell the act behind a word of `released_by`.
_ACTS: Final = {"limit": (*TERMS, *LIMITS), "injection": ("",)}
_WINDOW_CLOSED: Final = "when the clearing window (清算窗口) closed"


class Ending:
    """The end of one payment's story."""

    def __init__(self, run: Run, line: Line, told: Told, account: DebtorAccount, row: int) -> None:
        self.run, self.line, self.told, self.account, self.row = run, line, told, account, row
        self.payments = line.payments
        self.debtor = account.name
        self.outcome = int(self.payments.outcome[row])
        self.left = None if self.payments.left[row] == NONE else int(self.payments.left[row])
        self.submitted = None if self.payments.submitted[row] == NONE else int(self.payments.submitted[row])
        self.level = int(self.payments.numbers("level")[row])
        self.cover = Cover(run, told, str(self._text("payment_id", row)), self.debtor)

    def sentences(self) -> list[str]:
        """What became of it."""
        if self.outcome == QUEUED:
            return ["When the run stopped it had not come to an end."]
        at = format_clock(self.left) if self.left is not None else "an unknown time"
        if self.outcome == CANCELLED:
            return [f"Its sender cancelled it at {at}{self._after_waiting()} (PR08)."]
        if self.outcome == RETURNED:
            return [
                f"It was still queued when the clearing window (清算窗口) closed at {at}, and was sent back "
                f"(PR09, {Reason.RJ99.value}){self._after_waiting()}."
            ]
        if self.outcome == REJECTED:
            return [self._refusal(at)]
        return [*self._release(), *self.cover.sentences(), self._finality(at)]

    # refusals -----------------------------------------------------------------------------------------------

    def _refusal(self, at: str) -> str:
        reason, iso = self._text("reason", self.row), self._text("reason_iso", self.row)
        codes = ", ".join(code for code in ("PR09", reason, iso) if code)
        when = "on arrival" if self.payments.refused_on_arrival[self.row] else f"at {at}, when its turn came"
        return f"It was refused {when}: {self._why_refused(iso)} ({codes})."

    def _why_refused(self, iso: str | None) -> str:
        if iso == Refusal.LOGGED_OUT.iso:
            return self._why_untimely()
        if iso == Refusal.CREDIT_CONTROL.iso and self.payments.refused_on_arrival[self.row]:
            return self._which_control()
        refusal = BY_REASON.get(iso or "")
        return refusal.sentence if refusal else "no reason is recorded"

    def _why_untimely(self) -> str:
        """The phase comes before the log-in in the precedence of refusals; both have one ISO reason."""
        arrived = self.submitted if self.submitted is not None else int(self.payments.instructed[self.row])
        log = [event.kind for event in self.told.about(self.debtor, ("log_in", "log_out")) if event.time < arrived]
        if not log or log[-1] != "log_out" or self.level not in HVPS_LEVELS:
            return Refusal.OUT_OF_HOURS.sentence
        phase, special = self._phase(arrived)
        if phase == Phase.DAYTIME and (not special or self._text("type", self.row) in SPECIAL_SESSION_TYPES):
            return Refusal.LOGGED_OUT.sentence
        if phase == Phase.CLEARING_WINDOW:
            return "the clearing window takes only what funds a short account, and its sender was logged out as well"
        return Refusal.OUT_OF_HOURS.sentence

    def _phase(self, time: int) -> tuple[Phase, bool]:
        told = self.told.phase(time)
        if told is not None:
            return told
        day = day_of_payment(self.run, self.account.date)
        inside = int(day["opens_ms"]) <= time < int(day["cut_off_ms"])
        return Phase.DAYTIME if inside else Phase.END_OF_DAY, False

    def _which_control(self) -> str:
        """Credit control of the creditor, or a debit held where the discipline keeps no queue."""
        keeps_queue = self._discipline() not in (None, Discipline.REJECT.name.lower())
        arrived = self.submitted if self.submitted is not None else int(self.payments.instructed[self.row])
        control = self.account.control(arrived)
        if keeps_queue or not control.held or self._creditor_controlled(arrived):
            return Refusal.CREDIT_CONTROL.sentence
        if control.debit:
            return Refusal.DEBIT_CONTROL.sentence
        return "the debtor's account is frozen (AS06) and the discipline keeps no queue"

    def _discipline(self) -> str | None:
        hvps = (getattr(self.run, "scenario", None) or {}).get("hvps") or {}
        word: str | None = hvps.get("discipline")
        return word

    def _creditor_controlled(self, before: int) -> bool:
        creditor = self._text("creditor", self.row)
        words = [event.detail for event in self.told.about(creditor) if event.time < before]
        told = [word for word in words if word.startswith(("credit control", "status AS01", "status AS05"))]
        if told:
            return told[-1] in ("credit control on", "status AS05")
        accounts = (getattr(self.run, "scenario", None) or {}).get("accounts")
        rows = accounts if isinstance(accounts, list) else []
        return any(row.get("account") == creditor and row.get("status") == "AS05" for row in rows)

    # release ------------------------------------------------------------------------------------------------

    def _release(self) -> list[str]:
        cause = self._text("released_by", self.row)
        if cause is None:
            return []
        number = matching_of(cause)
        if number is not None:
            story = MatchingStory(self.run, self.line, self.told, number)
            return story.sentences(self.debtor, self._text("creditor", self.row))
        if cause in ("control", "return", "penalty"):
            return [self._closed(cause)]
        if cause == "limit" and (failed := self._failed_matching()):
            return [f"A matching had kept it or what stood before it, and failed ({failed}); that let it go."]
        if cause in ("pool", "pledge", "loan"):
            return self._brought(cause)
        if cause in RELEASED:
            return [RELEASED[cause].format(debtor=self.debtor) + self._quoted_release(cause) + "."]
        found = rows_with_id(self.payments.table.column("payment_id"), cause, strict=False)
        rows = [row for row in found if self.payments.settled[row]]
        if not rows:
            return [f"It was released by {cause}."]
        row = rows[0]
        payer, payee = self._text("debtor", row), self._text("creditor", row)
        how = f"credited {payee} and released it" if payee == self.debtor else "released it"
        if payer == self.debtor:
            how = f"let {self.debtor} go on with its queue and released it"
        released = (
            f"{cause}, {cny(int(self.payments.amount[row]))} from {payer} to {payee}, settled at "
            f"{format_clock(int(self.payments.final[row]))}, {how}."
        )
        return [released, *self._origin(row)]

    def _brought(self, cause: str) -> list[str]:
        """Released by money of a liquidity tool; what was brought for this very payment is told after this."""
        if cause != "loan" and self.cover.brought:
            return []
        found = None if self.left is None else self.cover.released_at(self.left)
        return [found or f"{RELEASED[cause].format(debtor=self.debtor)}."]

    def _origin(self, row: int) -> list[str]:
        """The matching with which the chain of releases began, if one did; each payment released the next at once."""
        start = row
        passed: set[int] = set()
        while row not in passed:
            passed.add(row)
            cause = self._text("released_by", row)
            number = matching_of(cause)
            if number is not None:
                name = MatchingStory(self.run, self.line, self.told, number).name
                what = "That payment" if row == start else f"It all began with {self._text('payment_id', row)}, which"
                return [f"{what} had been released by {name}."]
            found = [] if cause is None else rows_with_id(self.payments.table.column("payment_id"), cause, strict=False)
            row = next((other for other in found if self.payments.settled[other]), row)
        return []

    def _closed(self, cause: str) -> str:
        """Released by a control that was lifted, or posted by the central bank when the clearing window closed."""
        assert self.left is not None
        control = self.account.control(self.left)
        held = bool(control.held) and self.level not in EXEMPT
        end = self.left == int(day_of_payment(self.run, self.account.date)["window_end_ms"])
        if cause == "control" and not (end and self.level not in HVPS_LEVELS):
            return self._lifted(control)
        spite = f", in spite of {control.name} on {self.debtor}" if held or cause == "control" else ""
        if cause == "penalty":
            words = RELEASED["penalty"].format(debtor=self.debtor)
            return f"{words}{'; the central bank posted it' + spite if spite else ''}."
        sent_back = self._sent_back()
        if sent_back and not spite:
            return f"What stood ahead of it was sent back {_WINDOW_CLOSED} ({joined(sent_back)}), which let it go."
        why = spite or f": the items of its own levels are posted then if {self.debtor}'s balance covers them"
        return f"The central bank posted it {_WINDOW_CLOSED}{why}."

    def _lifted(self, control: Control) -> str:
        """A control of the account was lifted; `control` is what stood on it just before."""
        what = control.name if control.held else "debit control or a freeze"
        lifted = [event.detail for event in self.account.control_events() if event.time == self.left]
        quoted = f" ({lifted[-1]})" if lifted else ""
        return f"{what[0].upper()}{what[1:]} was lifted from {self.debtor}, which released it{quoted}."

    def _sent_back(self) -> list[str]:
        """Payments of the account at higher levels that were sent back at the same instant."""
        debtor = self.payments.codes("debtor").codes
        gone = (self.payments.outcome == RETURNED) & (self.payments.left == self.left)
        higher = (debtor == debtor[self.row]) & (self.payments.numbers("level") < self.level)
        return [str(self._text("payment_id", row)) for row in np.flatnonzero(gone & higher).tolist()]

    def _failed_matching(self) -> str | None:
        """What the events say of a matching that could not be posted at that instant, if no terms changed then."""
        if any(event.time == self.left and event.detail.startswith((*TERMS, *LIMITS)) for event in self.account.acts):
            return None
        failed = [event.detail for event in self.told.beginning("matching ", ("matching",)) if event.time == self.left]
        return failed[-1] if failed else None

    def _quoted_release(self, cause: str) -> str:
        """Which act it was, where an event of that very instant tells it."""
        if cause == "cancel":
            return self._cancelled_ahead()
        acts = _ACTS.get(cause, ())
        found = [e.detail for e in self.account.acts if e.time == self.left and e.detail.startswith(acts)]
        if cause == "injection":
            found = [detail for detail in found if detail.endswith("injected")]
        return f" ({found[-1]})" if found else ""

    def _cancelled_ahead(self) -> str:
        debtor = self.payments.codes("debtor").codes
        gone = (self.payments.outcome == CANCELLED) & (self.payments.left == self.left)
        rows = np.flatnonzero(gone & (debtor == debtor[self.row])).tolist()
        return f" ({joined([str(self._text('payment_id', row)) for row in rows])})" if rows else ""

    # finality -----------------------------------------------------------------------------------------------

    def _finality(self, at: str) -> str:
        final = "PR03, netted" if self._text("status", self.row) == "PR03" else "PR04"
        if self.payments.waited[self.row]:
            return f"It settled at {at} and was final then ({final}){self._after_waiting()}."
        passes = self.level in EXEMPT or self._discipline() == Discipline.BYPASS.name.lower()
        first = "Nothing stood in its way" if passes else "Nothing stood before it"
        able = "with that its account could pay" if self.cover.brought else "its account could pay"
        return f"{first} and {able}: it settled at once, final at {at} ({final})."

    def _after_waiting(self) -> str:
        if self.left is None or self.submitted is None or not self.payments.waited[self.row]:
            return ""
        waited = self.left - self.submitted
        return f" after {span(waited)} in the queue" if waited else ", in the instant in which it was queued"

    def aftermath(self) -> list[str]:
        """A later reversal or return of the settled payment."""
        status, later = self._text("status", self.row), self._text("ended_ms", self.row)
        if status not in ("PR22", "PR23") or later is None:
            return []
        word = "reversed (冲正)" if status == "PR22" else "returned by a payment of its own (退汇)"
        return [f"It was {word} at {format_clock(later)} ({status}); it stays counted as settled."]

    def obligation(self) -> list[str]:
        """Whether it met the time by which it was due."""
        limit = self._text("due_ms", self.row)
        if limit is None:
            return []
        if not self.payments.settled[self.row] or self.left is None:
            return [f"It was due by {format_clock(limit)} and never settled: the obligation was missed."]
        late = self.left - limit
        kept = "kept" if late <= 0 else f"missed by {span(late)}"
        return [f"It was due by {format_clock(limit)}: {kept}."]

    def _text(self, name: str, row: int) -> Any:
        return self.payments.table.column(name)[row].as_py()
