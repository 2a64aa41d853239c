"""Retail: the kinds of business that the netting server clears for BEPS (小额) and IBPS (网银), and what each is like.

Source: rule sections "BEPS" and "IBPS".
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple

from cnaps_sim.words.codes import System


class _Terms(NamedTuple):
    system: System
    code: str
    english: str
    chinese: str
    messages: tuple[str, ...]
    is_debit: bool
    queues: bool
    has_reply: bool


class RetailKind(IntEnum):
    """A kind of retail payment; the number is what compiled rules store.

    The debtor of a row is always the payer's participant, also of a debit, which the payee's participant starts.
    """

    ORDINARY_CREDIT = 0  # 普通贷记
    REALTIME_CREDIT = 1  # 实时贷记
    REGULAR_CREDIT = 2  # 定期贷记, such as payroll
    ORDINARY_DEBIT = 3  # 普通借记
    REALTIME_DEBIT = 4  # 实时借记
    REGULAR_DEBIT = 5  # 定期借记
    IBPS_CREDIT = 6  # 网银贷记
    IBPS_DEBIT = 7  # 网银借记

    @property
    def system(self) -> System:
        """BEPS or IBPS."""
        return _TERMS[self].system

    @property
    def code(self) -> str:
        """The business type that tables say, four letters; a modelling code."""
        return _TERMS[self].code

    @property
    def english(self) -> str:
        return _TERMS[self].english

    @property
    def chinese(self) -> str:
        return _TERMS[self].chinese

    @property
    def messages(self) -> tuple[str, ...]:
        """CNAPS numbers: of the instruction, and of the reply where there is one."""
        return _TERMS[self].messages

    @property
    def is_debit(self) -> bool:
        """Whether the payee's participant starts it and the payer's answers."""
        return _TERMS[self].is_debit

    @property
    def queues(self) -> bool:
        """Whether it waits when its payer is short of headroom (PR11); the others are rejected (RJ94)."""
        return _TERMS[self].queues

    @property
    def has_reply(self) -> bool:
        """Whether it is checked and netted when the other bank answers."""
        return _TERMS[self].has_reply

    @classmethod
    def of_code(cls, code: str) -> RetailKind | None:
        """The kind of a business type, None for a type that is not of retail."""
        return _OF_CODE.get(code)


_BEPS, _IBPS = System.BEPS, System.IBPS
_TERMS: Final = {
    RetailKind.ORDINARY_CREDIT: _Terms(
        _BEPS, "BCRD", "ordinary credit", "普通贷记", ("beps.121", "beps.122"), False, True, False
    ),
    RetailKind.REALTIME_CREDIT: _Terms(
        _BEPS, "BRTC", "real-time credit", "实时贷记", ("beps.123", "beps.124"), False, False, True
    ),
    RetailKind.REGULAR_CREDIT: _Terms(_BEPS, "BREG", "regular credit", "定期贷记", ("beps.125",), False, True, False),
    RetailKind.ORDINARY_DEBIT: _Terms(
        _BEPS, "BDBT", "ordinary debit", "普通借记", ("beps.127", "beps.128"), True, True, True
    ),
    RetailKind.REALTIME_DEBIT: _Terms(
        _BEPS, "BRTD", "real-time debit", "实时借记", ("beps.131", "beps.132"), True, False, True
    ),
    RetailKind.REGULAR_DEBIT: _Terms(
        _BEPS, "BRGD", "regular debit", "定期借记", ("beps.133", "beps.134"), True, True, True
    ),
    RetailKind.IBPS_CREDIT: _Terms(
        _IBPS, "ICRD", "online credit", "网银贷记", ("ibps.101", "ibps.102"), False, False, True
    ),
    RetailKind.IBPS_DEBIT: _Terms(
        _IBPS, "IDBT", "online debit", "网银借记", ("ibps.103", "ibps.104"), True, False, True
    ),
}
_OF_CODE: Final = {terms.code: kind for kind, terms in _TERMS.items()}
