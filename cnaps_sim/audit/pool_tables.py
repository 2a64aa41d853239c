"""Fund pools (资金池) beside the stored tables: who belongs to which pool, as the resolved scenario tells.

Transfers of a pool go from member to member; and what brings money to one member may let others pay.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np

from cnaps_sim.audit.columns import Flags, Frame, Ints
from cnaps_sim.audit.verdict import Findings
from cnaps_sim.words.codes import CentralBankAccount, TransferKind
from cnaps_sim.words.participant_kinds import ParticipantKind

WITHIN: Final = "within-pool"
_EPOCH: Final = dt.date(1970, 1, 1)


def read_pools(scenario: Any, accounts: Frame | None, findings: Findings) -> PoolsTold:
    """The fund pools of a resolved scenario; none, and a breach, if it makes no sense."""
    probe = Findings()
    with probe.checking(WITHIN):
        return PoolsTold(scenario, accounts)
    findings.breach(WITHIN, "the pools of the scenario cannot be told")
    return PoolsTold(None, None)


class PoolsTold:
    """The pools of a scenario, by the names of their members' accounts.

    scenario: the resolved scenario; None if it cannot be told, then nobody knows of a pool
    accounts: the table of accounts, whose order is that of the scenario; needed for pools of a class or of an owner
    """

    def __init__(self, scenario: Any, accounts: Frame | None) -> None:
        given = scenario.get("pools") if isinstance(scenario, Mapping) else None
        self._number: dict[str, int] = {}
        self._members: list[list[str]] = []
        self._first: list[int] = []
        self._last: list[int] = []
        self.are_known = isinstance(scenario, Mapping)
        rows = _members_told(accounts)
        for pool in given or ():
            if rows is None and "accounts" not in pool:
                self.are_known = False
                continue
            for members in _groups(pool, rows or []):
                self._number.update(dict.fromkeys(members, len(self._first)))
                self._members.append(members)
                self._first.append(_day(pool.get("from"), np.iinfo(np.int64).min))
                self._last.append(_day(pool.get("until"), np.iinfo(np.int64).max))

    def __bool__(self) -> bool:
        return bool(self._number)

    def of(self, account: str) -> int:
        """The number of an account's pool; -1 without one."""
        return self._number.get(account, -1)

    def fellows(self, account: str) -> list[str]:
        """The account itself and the members of its pool."""
        number = self.of(account)
        return [account] if number < 0 else [account, *self._members[number]]

    def in_force(self, pool: Ints, date: Ints) -> Flags:
        """Whether each of these pools is in force on a date (days since 1970); -1 is none."""
        if not self._first:
            return np.zeros(len(pool), np.bool_)
        first, last = np.array(self._first, np.int64)[pool], np.array(self._last, np.int64)[pool]
        works: Flags = (pool >= 0) & (first <= date) & (date <= last)
        return works


def check_within_pools(transfers: Frame, pools: PoolsTold, findings: Findings) -> None:
    """`within-pool`: rescues and sweeps move money between two members of one pool, on a date on which the scenario
    says that it is in force."""
    rows = np.flatnonzero(transfers.is_one_of("kind", TransferKind.POOL, TransferKind.SWEEP))
    giver, taker = (transfers.coded(side, pools.of)[rows].astype(np.int64) for side in ("debtor", "creditor"))
    wrong = (giver != taker) | ~pools.in_force(taker, transfers.ints("date")[rows])
    findings.where(
        WITHIN,
        wrong,
        lambda k: (
            f"transfer {rows[k]}, kind {transfers.text('kind', int(rows[k]))}, goes from "
            f"{transfers.text('debtor', int(rows[k]))} to {transfers.text('creditor', int(rows[k]))}, which share no "
            "pool in force"
        ),
    )


def _members_told(accounts: Frame | None) -> list[tuple[str, str, str]] | None:
    """Account, class and owner of every participant in the order of the scenario; None if that cannot be told."""
    if accounts is None or not accounts.rows or not accounts.has("account", "kind", "owner", "date"):
        return None
    date = accounts.ints("date")
    first = np.flatnonzero(date == date[0])
    columns = []
    for name in ("account", "kind", "owner"):
        codes, texts = accounts.texts(name)
        columns.append([texts[code] if code >= 0 else "" for code in codes[first].tolist()])
    own = {account.value for account in CentralBankAccount}
    found = zip(*columns, strict=True)
    return [row for row in found if row[1] != ParticipantKind.CENTRAL_BANK and row[0] not in own]  # type: ignore[misc]


def _groups(pool: Mapping[str, Any], rows: list[tuple[str, str, str]]) -> Iterator[list[str]]:
    """The members of each pool that one entry of the scenario stands for."""
    if "accounts" in pool:
        yield list(pool["accounts"])
    elif "kind" in pool:
        of_kind = [account for account, kind, _ in rows if kind == pool["kind"]]
        for first in range(0, len(of_kind), pool["size"]):
            yield of_kind[first : first + pool["size"]]
    else:
        owners: dict[str, list[str]] = {}
        for account, _, owner in rows:
            owners.setdefault(owner, []).append(account)
        yield from owners.values()


def _day(date: Any, missing: int) -> int:
    """A date of the scenario as days since 1970."""
    return missing if date is None else (dt.date.fromisoformat(str(date)) - _EPOCH).days
