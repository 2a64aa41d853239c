"""What the liquidity query answers: one answer per legal entity (法人), with each of its settlement accounts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

from cnaps_sim.words.codes import Level, Phase
from cnaps_sim.words.units import format_clock

#: The figures of an account that add up over the accounts of an owner.
MEASURES: Final = (
    "balance_fen", "available_fen", "expected_fen", "balance_if_settled_fen", "queued_out_count", "queued_out_fen",
    "queued_in_count", "queued_in_fen", "overdraft_limit_fen", "floor_fen", "earmark_fen", "reserved_fen",
    "position_fen", "unsettled_fen", "headroom_fen", "pledge_room_fen",
)  # fmt: skip


class Queued(NamedTuple):
    """Payments in settlement queues, by level: counts, and sums in fen."""

    counts: tuple[int, ...]
    sums: tuple[int, ...]

    @property
    def number(self) -> int:
        """How many."""
        return sum(self.counts)

    @property
    def fen(self) -> int:
        """Their value."""
        return sum(self.sums)

    def as_dict(self) -> dict[str, Any]:
        """Count and value, and both of each level that holds something."""
        levels = [
            {"level": level, "count": count, "value_fen": fen}
            for level, (count, fen) in enumerate(zip(self.counts, self.sums, strict=True))
            if count
        ]
        return {"count": self.number, "value_fen": self.fen, "levels": levels}


@dataclass(frozen=True)
class AccountLiquidity:
    """One settlement account at an instant; money in fen.

    available:  per level; None for the central bank's own accounts, which nothing limits
    reserved:   kept for other levels and for a matching under way, out of reach of level 7
    position:   in the netting server since the last round; unsettled: nets of rounds that SAPS has not posted
    headroom:   cap + position + unsettled; all three at the instant of a sample, None without retail payments
    warning_line, cap_warning_line: None where there is none
    pool, pool_spare: its fund pool (资金池), and what the other members could give; None if it is in none
    pledge_room: what it may still borrow against its bonds (质押融资); None if it has none
    """

    account: str
    owner: str
    name: str
    kind: str | None
    status: str
    balance: int
    available: tuple[int, ...] | None
    queued_out: Queued
    queued_in: Queued
    overdraft_limit: int | None
    floor: int
    earmark: int
    reserved: int
    position: int | None
    unsettled: int | None
    headroom: int | None
    warning_line: int | None
    balance_warning: bool
    cap_warning_line: int | None
    cap_warning: bool
    pool: str | None
    pool_spare: int | None
    pledge_room: int | None

    @property
    def available_now(self) -> int | None:
        """What an ordinary payment (level 7) may spend."""
        return None if self.available is None else self.available[Level.NORMAL]

    @property
    def measures(self) -> dict[str, int | None]:
        """The figures that add up over the accounts of an owner."""
        now = self.available_now
        net = self.queued_in.fen - self.queued_out.fen
        values = (
            self.balance, now, None if now is None else now + net, self.balance + net, self.queued_out.number,
            self.queued_out.fen, self.queued_in.number, self.queued_in.fen, self.overdraft_limit, self.floor,
            self.earmark, self.reserved, self.position, self.unsettled, self.headroom, self.pledge_room,
        )  # fmt: skip
        return dict(zip(MEASURES, values, strict=True))

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        told = {key: fen for key, fen in self.measures.items() if not key.startswith("queued")}
        return {
            "account": self.account,
            "name": self.name,
            "kind": self.kind,
            "status": self.status,
            **told,
            "available_by_level_fen": None if self.available is None else list(self.available),
            "queued_out": self.queued_out.as_dict(),
            "queued_in": self.queued_in.as_dict(),
            "cap_fen": self.cap,
            "pool": self.pool,
            "pool_spare_fen": self.pool_spare,
            "warning_line_fen": self.warning_line,
            "balance_warning": self.balance_warning,
            "cap_warning_line_fen": self.cap_warning_line,
            "cap_warning": self.cap_warning,
        }

    @property
    def cap(self) -> int | None:
        """The net debit cap (净借记限额) at the sample."""
        if self.headroom is None or self.position is None or self.unsettled is None:
            return None
        return self.headroom - self.position - self.unsettled


@dataclass(frozen=True)
class OwnerLiquidity:
    """One legal entity (法人) and its accounts."""

    owner: str
    accounts: tuple[AccountLiquidity, ...]

    @property
    def name(self) -> str:
        """The name of its head office: the account that bears the owner's id, else its first."""
        found = [one.name for one in self.accounts if one.account == self.owner]
        return (found or [self.accounts[0].name])[0] if self.accounts[0].available is not None else "中国人民银行 / PBC"

    @cached_property
    def measures(self) -> dict[str, int | None]:
        """Sums over its accounts; null where no account has the figure."""
        parts = [one.measures for one in self.accounts]
        known = {key: [part[key] for part in parts if part[key] is not None] for key in MEASURES}
        return {key: sum(fen for fen in values if fen is not None) if values else None for key, values in known.items()}

    def queued(self, out: bool) -> Queued:
        """What its accounts have queued, as debtors (out) or as creditors."""
        parts = [one.queued_out if out else one.queued_in for one in self.accounts]
        return Queued(
            tuple(map(sum, zip(*(part.counts for part in parts), strict=True))),
            tuple(map(sum, zip(*(part.sums for part in parts), strict=True))),
        )

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        told = {key: fen for key, fen in self.measures.items() if not key.startswith("queued")}
        return {
            "owner": self.owner,
            "name": self.name,
            **told,
            "queued_out": self.queued(out=True).as_dict(),
            "queued_in": self.queued(out=False).as_dict(),
            "accounts": [one.as_dict() for one in self.accounts],
        }


@dataclass(frozen=True)
class LiquidityAnswer:
    """What the query answers for some or all owners.

    at_ms:     the instant, ms of the run; everything posted at it is included
    netted_ms: the instant of the sample from which positions and headroom come; None without retail payments
    total_balance: of all accounts of the run, the central bank's own included, fen: the same at every instant
    notes:     what the tables cannot tell exactly, one sentence each
    """

    at_ms: int
    phase: Phase
    netted_ms: int | None
    total_balance: int
    owners: tuple[OwnerLiquidity, ...]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "at": format_clock(self.at_ms),
            "at_ms": self.at_ms,
            "includes_instant": True,
            "phase": f"{self.phase.value:02d}",
            "netted_at": None if self.netted_ms is None else format_clock(self.netted_ms),
            "netted_ms": self.netted_ms,
            "total_balance_fen": self.total_balance,
            "notes": list(self.notes),
            "owners": [owner.as_dict() for owner in self.owners],
        }
