"""The catalogue: which messages there are, who sends them, and under which CNAPS number.

A CNAPS number (报文编号, such as `hvps.111.001.01`) names a business, an ISO 20022 id names a form. One form serves
several businesses and a few numbers carry several forms (a request and its answer), so a kind of message is the
pair of both. Where CNAPS has no number for an ISO message, the ISO id stands in its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cnaps_sim.words.codes import System

ISO_NAMESPACE: Final = "urn:iso:std:iso:20022:tech:xsd:"
OWN_NAMESPACE: Final = "urn:cnaps-sim:"
#: The business application header that stands before every document.
APP_HEADER: Final = "head.001.001.02"
_VERSION: Final = ".001.01"


class Way(StrEnum):
    """Who sends a message to whom: B a bank, C the clearing system."""

    FORWARDED = "B→C→B"
    TO_CENTRE = "B→C"
    TO_BANK = "C→B"
    EITHER = "B↔C"
    INSIDE = "NETS→SAPS"

    def allows(self, direction: str) -> bool:
        """Whether a message with this direction mark (`U` to the centre, `D` from it) goes this way."""
        return direction in _DIRECTIONS[self]


_DIRECTIONS = {Way.FORWARDED: "UD", Way.TO_CENTRE: "U", Way.TO_BANK: "D", Way.EITHER: "UD", Way.INSIDE: "U"}


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of message.

    number:  as in the transport header, such as `hvps.111.001.01` (报文编号)
    iso:     ISO 20022 message id, or the namespace `urn:cnaps-sim:…` of a message that is not ISO
    system:  the system of the national centre that it belongs to
    way:     who sends it to whom
    title:   what it is for
    chinese: the same in Chinese
    """

    number: str
    iso: str
    system: System
    way: Way
    title: str
    chinese: str

    @property
    def is_iso(self) -> bool:
        """Whether a schema of the profile judges it."""
        return not self.iso.startswith(OWN_NAMESPACE)

    @property
    def namespace(self) -> str:
        return ISO_NAMESPACE + self.iso if self.is_iso else self.iso


def _kind(number: str, iso: str, way: Way, title: str, chinese: str) -> Kind:
    """A row of the table; `number` without its version, `-SYSTEM` where CNAPS has no number."""
    if number.startswith("-"):
        return Kind(iso, iso, System(number[1:]), way, title, chinese)
    system = System(number.partition(".")[0].upper())
    return Kind(number + _VERSION, iso or f"{OWN_NAMESPACE}{number}{_VERSION}", system, way, title, chinese)


_FORWARDED, _UP, _DOWN, _EITHER, _INSIDE = Way.FORWARDED, Way.TO_CENTRE, Way.TO_BANK, Way.EITHER, Way.INSIDE

CATALOGUE: Final = (
    _kind("hvps.111", "pacs.008.001.08", _FORWARDED, "customer transfer", "客户发起汇兑业务报文"),
    _kind("hvps.112", "pacs.009.001.08", _FORWARDED, "bank transfer", "金融机构发起汇兑业务报文"),
    _kind("hvps.141", "pacs.009.001.08", _FORWARDED, "immediate transfer", "即时转账报文"),
    _kind("hvps.631", "pacs.029.001.01", _INSIDE, "nets of a round", "轧差净额清算报文"),
    _kind("beps.121", "pacs.008.001.08", _FORWARDED, "ordinary customer credits", "客户发起普通贷记业务报文"),
    _kind("beps.122", "pacs.009.001.08", _FORWARDED, "ordinary bank credits", "金融机构发起普通贷记业务报文"),
    _kind("beps.123", "pacs.008.001.08", _FORWARDED, "real-time credit", "实时贷记业务报文"),
    _kind("beps.124", "pacs.002.001.10", _FORWARDED, "reply to a real-time credit", "实时贷记业务回执报文"),
    _kind("beps.125", "pacs.008.001.08", _FORWARDED, "regular credits", "定期贷记业务报文"),
    _kind("beps.127", "pacs.003.001.08", _FORWARDED, "ordinary debits", "普通借记业务报文"),
    _kind("beps.128", "pacs.002.001.10", _FORWARDED, "reply to ordinary debits", "普通借记业务回执报文"),
    _kind("beps.130", "pacs.002.001.10", _FORWARDED, "reply to cheque-image debits", "支票截留业务回执报文"),
    _kind("beps.131", "pacs.003.001.08", _FORWARDED, "real-time debit", "实时借记业务报文"),
    _kind("beps.132", "pacs.002.001.10", _FORWARDED, "reply to a real-time debit", "实时借记业务回执报文"),
    _kind("beps.133", "pacs.003.001.08", _FORWARDED, "regular debits", "定期借记业务报文"),
    _kind("beps.134", "pacs.002.001.10", _FORWARDED, "reply to regular debits", "定期借记业务回执报文"),
    _kind("beps.411", "camt.056.001.08", _FORWARDED, "stop-payment request", "借记业务止付申请报文"),
    _kind("beps.411", "camt.029.001.09", _FORWARDED, "answer to a stop-payment request", "借记业务止付应答报文"),
    _kind("beps.413", "camt.056.001.08", _FORWARDED, "reversal request", "实时业务冲正申请报文"),
    _kind("beps.413", "camt.029.001.09", _FORWARDED, "answer to a reversal request", "实时业务冲正应答报文"),
    _kind("ibps.101", "pacs.008.001.08", _FORWARDED, "online credit", "网银贷记业务报文"),
    _kind("ibps.102", "pacs.002.001.10", _FORWARDED, "reply to an online credit", "网银贷记业务回执报文"),
    _kind("ibps.103", "pacs.003.001.08", _FORWARDED, "online debit", "网银借记业务报文"),
    _kind("ibps.104", "pacs.002.001.10", _FORWARDED, "reply to an online debit", "网银借记业务回执报文"),
    _kind("saps.360", "camt.052.001.08", _DOWN, "intraday account report", "日间账户报告报文"),
    _kind("-SAPS", "camt.060.001.05", _UP, "request for an account report", "账户报告申请报文"),
    _kind("saps.363", "camt.005.001.08", _UP, "queue query", "排队业务查询报文"),
    _kind("saps.364", "camt.006.001.08", _DOWN, "queue report", "排队业务查询应答报文"),
    _kind("saps.365", "camt.007.001.08", _UP, "move in the queue", "排队顺序调整报文"),
    _kind("saps.366", "camt.003.001.07", _UP, "balance query", "账户余额查询报文"),
    _kind("saps.367", "camt.004.001.08", _DOWN, "balance report", "账户余额查询应答报文"),
    _kind("saps.368", "camt.003.001.07", _UP, "basket liquidity query", "一揽子流动性实时查询报文"),
    _kind("saps.369", "camt.004.001.08", _DOWN, "basket liquidity report", "一揽子流动性实时查询应答报文"),
    _kind("-SAPS", "camt.103.001.01", _UP, "reservation", "资金预留报文"),
    _kind("-SAPS", "camt.025.001.05", _DOWN, "answer to a request", "业务应答报文"),
    _kind("saps.601", "camt.088.001.01", _DOWN, "net position notice", "净额清算通知报文"),
    _kind("saps.601", "camt.054.001.08", _DOWN, "debit and credit notice", "借贷记通知报文"),
    _kind("saps.603", "camt.053.001.08", _DOWN, "end-of-day statement", "日终账户对账单报文"),
    _kind("saps.604", "pacs.002.001.10", _DOWN, "settlement status", "清算结果通知报文"),
    _kind("saps.612", "pacs.010.001.03", _DOWN, "central-bank debit", "央行借记业务报文"),
    _kind("nets.350", "camt.009.001.07", _UP, "limit query", "净借记限额查询报文"),
    _kind("nets.353", "camt.011.001.07", _EITHER, "limit setting", "净借记限额调整报文"),
    _kind("nets.353", "camt.012.001.07", _EITHER, "limit deletion", "净借记限额撤销报文"),
    _kind("nets.355", "camt.010.001.08", _DOWN, "limit report", "净借记限额查询应答报文"),
    _kind("nets.376", "camt.050.001.05", _UP, "earmark up", "圈存资金调增报文"),
    _kind("nets.377", "camt.051.001.05", _UP, "earmark down", "圈存资金调减报文"),
    _kind("ccms.307", "camt.056.001.08", _FORWARDED, "recall of a settled payment", "业务退回申请报文"),
    _kind("ccms.307", "camt.008.001.08", _UP, "cancellation of a queued payment", "业务撤销申请报文"),
    _kind("ccms.308", "camt.029.001.09", _FORWARDED, "answer to a recall", "业务退回应答报文"),
    _kind("ccms.316", "pacs.028.001.03", _UP, "status request", "业务状态查询申请报文"),
    _kind("ccms.318", "pacs.004.001.09", _FORWARDED, "return", "退汇业务报文"),
    _kind("ccms.801", "camt.019.001.07", _DOWN, "business-day information", "系统状态变更通知报文"),
    _kind("ccms.801", "camt.018.001.05", _UP, "business-day query", "系统状态查询报文"),
    _kind("ccms.801", "admi.004.001.02", _DOWN, "system event", "系统事件通知报文"),
    _kind("ccms.801", "admi.011.001.01", _UP, "acknowledgement of a system event", "系统事件确认报文"),
    _kind("ccms.900", "pacs.002.001.10", _DOWN, "payment status", "通用处理确认报文"),
    _kind("ccms.911", "admi.002.001.01", _DOWN, "technical rejection", "报文丢弃通知报文"),
    _kind("ccms.990", "admi.007.001.01", _EITHER, "receipt", "通信级确认报文"),
    _kind("ccms.805", "", _UP, "log-in", "登录申请报文"),
    _kind("ccms.806", "", _DOWN, "answer to a log-in", "登录应答报文"),
    _kind("saps.357", "", _EITHER, "pledge financing", "质押融资申请报文"),
    _kind("saps.358", "", _EITHER, "pledge repayment", "质押融资还款报文"),
    _kind("saps.359", "", _EITHER, "pledge terms", "自动质押融资管理报文"),
    _kind("saps.361", "", _UP, "balance warning line", "余额预警设置报文"),
    _kind("saps.362", "", _DOWN, "balance warning", "余额预警通知报文"),
    _kind("saps.373", "", _UP, "fund pool", "资金池管理报文"),
    _kind("saps.374", "", _UP, "automatic interbank loan", "自动拆借管理报文"),
)

_BY_NUMBER: dict[str, tuple[Kind, ...]] = {}
_BY_ISO: dict[str, tuple[Kind, ...]] = {}
for _row in CATALOGUE:
    _BY_NUMBER[_row.number] = (*_BY_NUMBER.get(_row.number, ()), _row)
    _BY_ISO[_row.iso] = (*_BY_ISO.get(_row.iso, ()), _row)
_BY_BOTH = {(row.number, row.iso): row for row in CATALOGUE}
_FULL_NUMBER = {number.removesuffix(_VERSION): number for number in _BY_NUMBER}
_FULL_ISO = {iso[: len("pacs.008")]: iso for iso in _BY_ISO if not iso.startswith(OWN_NAMESPACE)}

#: The ISO ids of all messages that the profile has a schema for, without the application header.
ISO_IDS: Final = tuple(sorted(iso for iso in _BY_ISO if not iso.startswith(OWN_NAMESPACE)))


def find(number: str) -> tuple[Kind, ...]:
    """The kinds of a CNAPS number, `hvps.111.001.01` or short `hvps.111`; empty if there is none."""
    return _BY_NUMBER.get(_FULL_NUMBER.get(number, number), ())


def of_iso(iso: str) -> tuple[Kind, ...]:
    """The kinds in the form of an ISO id, `pacs.008.001.08` or short `pacs.008`; empty if there is none."""
    return _BY_ISO.get(_FULL_ISO.get(iso, iso), ())


def kind_of(number: str, iso: str) -> Kind | None:
    """The kind with this full number and this full ISO id; None if they do not belong together."""
    return _BY_BOTH.get((number, iso))
