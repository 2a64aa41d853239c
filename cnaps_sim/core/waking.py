"""Waking: whose queue is worth a retry, and why.

An account whose available funds rose, or whose queue changed, is *woken*. Woken accounts form a chain and are served
first woken first (see `release`). The order decides which payment is named as the one that released another.
"""

from __future__ import annotations

from typing import Final

from cnaps_sim.core.compiled import clause, rule
from cnaps_sim.core.records import IN_DEBT, IN_OUTBOX, IN_POOL, IN_QUEUE, NOBODY, Records, Tools

#: What an account itself has to do when money comes in.
_OWN_CONCERN: Final = IN_QUEUE | IN_DEBT | IN_OUTBOX


@clause
def line_up(books: Records, accounts: Records, row: int, cause: int) -> None:
    """Put an account at the end of the chain; once in the chain is enough."""
    account = accounts[row]
    account.woken_by = cause
    if account.woken:
        return
    account.woken = True
    account.next_woken = NOBODY
    if books[0].last_woken == NOBODY:
        books[0].first_woken = row
    else:
        accounts[books[0].last_woken].next_woken = row
    books[0].last_woken = row


@rule
def wake_pool(books: Records, accounts: Records, tools: Tools, row: int, cause: int) -> None:
    """Wake every other member of the account's pool (资金池) that waits for money, in list order."""
    pool = tools.pools[accounts[row].pool]
    for place in range(pool.first_member, pool.first_member + pool.member_count):
        member = tools.members[place]
        if member != row and accounts[member].waiting_levels != 0:
            line_up(books, accounts, member, cause)


@clause
def wake(books: Records, accounts: Records, tools: Tools, row: int, cause: int) -> None:
    """Note that money or room has come to an account: itself if it has a use for it, else its pool."""
    if accounts[row].alert & _OWN_CONCERN:
        line_up(books, accounts, row, cause)
    elif accounts[row].alert & IN_POOL and books[0].pooled_waiting > 0:
        wake_pool(books, accounts, tools, row, cause)
