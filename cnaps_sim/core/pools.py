"""Fund pools (资金池, business type G107): accounts of one entity rescue one another.

A rescue moves exactly what the head of a queue lacks, all or nothing, from members in order, each giving at most what
it has without credit and only while its own queue is empty. In a set order (MT00) members are asked as listed, in a
random order (MT01) as a hash of seed, payment and member ranks them: the same scenario always gives the same order.
"""

from __future__ import annotations

from typing import Final

from cnaps_sim.core.compiled import clause, rule
from cnaps_sim.core.moves import move_by_rule
from cnaps_sim.core.records import IN_POOL, IN_QUEUE, NOBODY, Records, Tools
from cnaps_sim.core.waking import line_up
from cnaps_sim.words.codes import Cause, Life, MoveKind

_OPEN: Final = int(Life.OPEN)
_POOL: Final = int(MoveKind.POOL)
_BY_POOL: Final = int(Cause.POOL)
_MULTIPLIER: Final = 0x45D9F3B
_MASK: Final = 0xFFFFFFFF


@clause
def spare(account: Records) -> int:
    """What a member may give: its own money, all reservations kept, while nothing of its own waits."""
    if account.waiting_levels != 0 or account.debit_control or account.life != _OPEN:
        return 0
    kept = account.earmark + account.floor + account.reserved_high + account.reserved_urgent + account.reserved_matching
    return max(0, account.balance - kept)  # type: ignore[no-any-return]


@rule
def can_rescue(accounts: Records, tools: Tools, row: int, lacking: int) -> bool:
    """Whether the other members of the account's active pool have `lacking` fen to spare."""
    if not accounts[row].alert & IN_POOL:
        return False
    pool = tools.pools[accounts[row].pool]
    for place in range(pool.first_member, pool.first_member + pool.member_count):
        member = tools.members[place]
        if member != row:
            lacking -= spare(accounts[member])
            if lacking <= 0:
                return True
    return False


@clause
def scatter(number: int) -> int:
    """A number of 32 bits that looks like chance, the same on every machine (a multiply and xorshift hash)."""
    number = (((number >> 16) ^ number) * _MULTIPLIER) & _MASK
    number = (((number >> 16) ^ number) * _MULTIPLIER) & _MASK
    return (number >> 16) ^ number


@clause
def drawn(seed: int, sequence: int, member: int) -> int:
    """The number by which a random pool ranks a member when it rescues a payment."""
    return scatter(scatter(scatter(seed & _MASK) ^ (sequence & _MASK)) ^ member)


@rule
def rescue(
    books: Records,
    accounts: Records,
    tools: Tools,
    log: Records,
    time_ms: int,
    sequence: int,
    row: int,
    lacking: int,
) -> None:
    """Members give the account what it lacks for payment `sequence`; `can_rescue` has just said that they can."""
    pool = tools.pools[accounts[row].pool]
    last_number, last_place = -1, -1
    for turn in range(pool.member_count):
        place = pool.first_member + turn
        if pool.random:
            place, number = -1, _MASK + 1
            for other in range(pool.first_member, pool.first_member + pool.member_count):
                own = drawn(books[0].pool_seed, sequence, tools.members[other])
                comes_later = own > last_number or (own == last_number and other > last_place)
                if comes_later and own < number:
                    place, number = other, own
            last_number, last_place = number, place
        member = tools.members[place]
        if member != row:
            given = min(spare(accounts[member]), lacking)
            if given > 0:
                move_by_rule(books, accounts, tools, log, time_ms, member, row, given, _POOL, sequence)
                lacking -= given
        if lacking == 0:
            return
    assert lacking == 0


@rule
def move_spare(
    books: Records,
    accounts: Records,
    tools: Tools,
    log: Records,
    time_ms: int,
    giver_row: int,
    taker_row: int,
    least: int,
    most: int,
    kind: int,
) -> int:
    """One account gives another of what it has to spare, `least` to `most` fen, or nothing; returns how much.

    For sweeps (上收下拨) and loans between participants; the caller wakes the taker.
    """
    given = min(spare(accounts[giver_row]), most)
    if given < max(1, least):
        return 0
    move_by_rule(books, accounts, tools, log, time_ms, giver_row, taker_row, given, kind, NOBODY)
    return given


@rule
def set_pool(books: Records, accounts: Records, tools: Tools, number: int, active: bool) -> None:
    """Start or stop a pool (MT00 to MT03); one that starts wakes its members that wait, in list order."""
    pool = tools.pools[number]
    pool.active = active
    for place in range(pool.first_member, pool.first_member + pool.member_count):
        account = accounts[tools.members[place]]
        if account.alert & IN_QUEUE and (account.alert & IN_POOL != 0) != active:
            books[0].pooled_waiting += 1 if active else -1
        if active:
            account.alert |= IN_POOL
            if account.alert & IN_QUEUE:
                line_up(books, accounts, tools.members[place], _BY_POOL)
        else:
            account.alert &= ~IN_POOL


@rule
def join_pool(accounts: Records, tools: Tools, number: int) -> None:
    """The members of a new pool belong to it from now on."""
    pool = tools.pools[number]
    for place in range(pool.first_member, pool.first_member + pool.member_count):
        account = accounts[tools.members[place]]
        assert account.pool == NOBODY, "an account belongs to one pool"
        account.pool = number
