"""Fund pools (资金池, G107): accounts that rescue one another when the queue head of one of them is short.

Source: liquidity tools, fund pool. A rescue moves the exact shortage, all or nothing, from members in order; each
gives at most what it can spare without credit, and only while its own queue is empty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from cnaps_sim.reference.account import Account
from cnaps_sim.reference.ledger import Ledger
from cnaps_sim.words.codes import MoveKind

_MASK: Final = 0xFFFFFFFF
_MULTIPLIER: Final = 0x45D9F3B
_POOL: Final = MoveKind.POOL


def _mix(number: int) -> int:
    for _ in range(2):
        number = ((number >> 16 ^ number) * _MULTIPLIER) & _MASK
    return number >> 16 ^ number


def scatter(seed: int, sequence: int, row: int) -> int:
    """A number of 32 bits that puts members in random order (MT01); the same on every machine.

    A multiply and xorshift hash of the three, one after the other.
    """
    return _mix(_mix(_mix(seed & _MASK) ^ (sequence & _MASK)) ^ row)


class Pool:
    """One pool.

    members  in list order
    random   do members give in random order (MT01) or in list order (MT00)?
    seed     on it the random orders depend
    active   False while the pool is stopped (MT02)
    """

    __slots__ = ("active", "members", "random", "seed")

    def __init__(self, members: Sequence[Account], random: bool, seed: int) -> None:
        self.members = list(members)
        self.random = random
        self.seed = seed
        self.active = True

    def others(self, account: Account) -> list[Account]:
        """Who may rescue the account, in list order; nobody while the pool is stopped."""
        return [member for member in self.members if member is not account and self.active]

    def givers(self, account: Account, sequence: int) -> list[Account]:
        """The others in the order in which they give for payment `sequence`."""
        others = self.others(account)
        if self.random:
            others.sort(key=lambda member: scatter(self.seed, sequence, member.row))
        return others


class Pools(Ledger):
    """The ledger with pools, in the order given."""

    def __init__(self, accounts: Sequence[Mapping[str, Any]], limits: Sequence[tuple[int, int, int]] = ()) -> None:
        super().__init__(accounts, limits)
        self.pools: list[Pool] = []

    def _form_pools(self, pools: Sequence[tuple[bool, Sequence[int]]], seed: int) -> None:
        """Every pool from (random, rows in list order); all are active."""
        for is_random, rows in pools:
            pool = Pool([self.accounts[row] for row in rows], is_random, seed)
            self.pools.append(pool)
            for member in pool.members:
                assert member.pool is None, f"account {member.row} is in a pool already"
                member.pool = pool
                member.has_tools = True

    def _can_rescue(self, account: Account, lacking: int) -> bool:
        """Can the other members together spare what the account lacks (fen, above 0)?"""
        others = account.pool.others(account) if account.pool is not None else []
        return sum(member.spare() for member in others) >= lacking

    def _rescue(self, time: int, sequence: int, account: Account, lacking: int) -> None:
        """Move what the account lacks for payment `sequence`: each member all it can spare, as far as needed."""
        assert account.pool is not None, f"account {account.row} is in no pool"
        for member in account.pool.givers(account, sequence):
            given = min(member.spare(), lacking)
            if given:
                self._move(time, member, account, given, _POOL, sequence)
                lacking -= given
        assert lacking == 0, f"the pool of account {account.row} has too little for payment {sequence}"
