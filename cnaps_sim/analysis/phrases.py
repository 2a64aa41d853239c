"""Phrases: how a payment's story names levels, causes and refusals, and writes exact amounts and spans of time."""

from __future__ import annotations

from typing import Final

from cnaps_sim.words.business_types import BusinessType
from cnaps_sim.words.codes import Level, Refusal
from cnaps_sim.words.units import format_fen

#: Business types by code.
TYPES: Final = {kind.code: kind for kind in BusinessType}
#: What stands at each level of the settlement queue.
LEVEL_WORDS: Final = {
    Level.REVERSAL: "reversals, 错账冲正",
    Level.URGENT: "urgent, 特急",
    Level.INTEREST_AND_FEES: "interest and fees, 计息收费",
    Level.SAME_CITY_NET: "same-city nets, 同城轧差净额",
    Level.ROUND_NET: "round nets, 轧差净额",
    Level.ONE_SIDED: "one-sided business of the central bank, 单边业务",
    Level.HIGH: "high, 紧急",
    Level.NORMAL: "normal, 普通",
}
#: What released a payment, for each word of `released_by`.
RELEASED: Final = {
    "limit": "A change of {debtor}'s terms (overdraft limit, floor, earmark, reservation or sender limit) released it",
    "cancel": "The cancellation of a payment ahead of it released it",
    "move": "A change in the order of {debtor}'s queue, or of the rule that it follows, released it",
    "injection": "Liquidity given to {debtor} released it",
    "penalty": "The central bank lent {debtor} what was lacking at the penalty rate (高额罚息贷款), which released it",
    "pool": "A rescue from {debtor}'s fund pool (资金池) released it",
    "pledge": "Automatic pledge financing (自动质押融资) of {debtor} released it",
    "loan": "A loan to {debtor} released it",
}
#: What started a queue matching, for each word of `trigger`, short, in both languages.
TRIGGERS: Final = {
    "every": ("at intervals", "定时"),
    "at": ("at set times", "定点"),
    "queued_over": ("many queued", "笔数"),
    "value_over": ("much queued", "金额"),
    "phase": ("new phase", "阶段"),
    "action": ("by order", "指令"),
    "continuous": ("continuous", "连续"),
    "close": ("at the close", "关闭"),
}
#: The plays of a comparison of liquidity tools, short, in both languages.
TOOLS: Final = {
    "none": ("no tool", "无"),
    "matching": ("matching", "排队撮合"),
    "pools": ("fund pools", "资金池"),
    "pledge": ("pledge financing", "质押融资"),
    "overdraft": ("overdraft", "日间透支"),
    "lending": ("lending", "拆借"),
    "behaviours": ("behaviours", "发报策略"),
    "all": ("all together", "全部"),
}
#: How the events of an account tell that its terms changed.
TERMS: Final = ("overdraft_limit", "floor", "earmark", "reserved_high", "reserved_urgent")
#: How they tell that a limit of its own was set or removed.
LIMITS: Final = ("limit towards", "no limit towards")
#: Refusals that share an ISO reason; which of them it was depends on the run.
BY_REASON: Final = {
    refusal.iso: refusal
    for refusal in reversed(Refusal)
    if refusal not in (Refusal.NONE, Refusal.END_OF_DAY, Refusal.LOGGED_OUT, Refusal.DEBIT_CONTROL)
}


def cny(fen: int) -> str:
    """An exact amount with thousands marked off."""
    whole, _, cents = format_fen(fen).partition(".")
    sign = "-" if whole.startswith("-") else ""
    return f"CNY {sign}{int(whole.lstrip('-')):,}.{cents}"


def span(ms: int) -> str:
    """An exact span of time: `1 h 5 min`, `2.5 s`, `12 ms`."""
    if ms < 1_000:
        return f"{ms} ms"
    hours, rest = divmod(ms, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    seconds = f"{rest / 1000:.3f}".rstrip("0").rstrip(".")
    parts = [f"{hours} h"] * bool(hours) + [f"{minutes} min"] * bool(minutes)
    return " ".join(parts + ([f"{seconds} s"] if rest else []))


def joined(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
