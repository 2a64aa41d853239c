"""The network of payments (支付网络): who is linked to whom, how strongly, and which banks are its core.

An account is a node, a link i → j stands for all settled payments from i to j, its weight is their value. The central
bank's own accounts are left out, and so are accounts that neither paid nor were paid.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from cnaps_sim.analysis.metrics.activity import flows
from cnaps_sim.analysis.metrics.columns import BoolArray, IntArray, Run, Where, as_list
from cnaps_sim.analysis.metrics.tidy import By, label_column, ratio, values_column
from cnaps_sim.words.codes import CentralBankAccount


class Web(NamedTuple):
    """One network: names of the nodes in alphabetical order, and `fen[i, j]` (int64), value from i to j."""

    names: list[str]
    fen: IntArray

    @property
    def linked(self) -> BoolArray:
        """Which links there are."""
        return self.fen > 0

    @property
    def joined(self) -> BoolArray:
        """Which pairs have a link in either direction."""
        linked: BoolArray = self.linked | self.linked.T
        return linked


class Core(NamedTuple):
    """The best division into core and periphery, and how many pairs do not fit it."""

    member: BoolArray
    errors: int


def network(run: Run, *, by: By = None, where: Where = None) -> pd.DataFrame:
    """The network as a whole; `by` groups payments (system, priority, level, date, type).

    `accounts` n; `links` m (ordered pairs with a payment); `density`: m / (n (n - 1)); `mean_degree`: m / n (links
    per account); `reciprocity`: share of links i → j with a link j → i; `value_reciprocity`: sum of min(w_ij, w_ji) /
    sum of w_ij (Squartini and others 2013); `clustering`: mean over accounts of the share of pairs of partners that
    are partners themselves, direction aside, 0 with fewer than two (Watts and Strogatz 1998); `core`: accounts of the
    core, `core_errors`: pairs that do not fit it, as a share of the pairs with a link (Craig and von Peter 2014, of
    the division that `core_of` finds). Units: accounts, links, ratio; a ratio without denominator is null.
    """
    names = as_list(by)
    rows: list[tuple[Any, ...]] = []
    for label, web in webs(run, names, where):
        rows += [(*label, *measure) for measure in _whole(web)]
    return _frame(rows, names)


def network_accounts(run: Run, *, by: By = None, where: Where = None) -> pd.DataFrame:
    """Every account's place in the network: always per `account`, within the groups of `by` if there are any.

    `out_degree`, `in_degree`: accounts it paid, that paid it (links); `out_strength`, `in_strength`: value (fen);
    `reciprocity`: share of the accounts it paid that paid it (ratio, null if it paid nobody); `clustering`: share of
    pairs of its partners that are partners (ratio, 0 with fewer than two); `core`: 1 if it belongs to the core, else
    0. Sources as in `network`.
    """
    names = as_list(by)
    rows: list[tuple[Any, ...]] = []
    for label, web in webs(run, names, where):
        linked, both = web.linked, web.linked & web.linked.T
        clustering, core = clustering_of(web), core_of(web)
        for place, name in enumerate(web.names):
            out = int(linked[place].sum())
            measures = (
                ("out_degree", out, "links"),
                ("in_degree", int(linked[:, place].sum()), "links"),
                ("out_strength", int(web.fen[place].sum()), "fen"),
                ("in_strength", int(web.fen[:, place].sum()), "fen"),
                ("reciprocity", ratio(int(both[place].sum()), out), "ratio"),
                ("clustering", float(clustering[place]), "ratio"),
                ("core", int(core.member[place]), "accounts"),
            )
            rows += [(*label, name, *measure) for measure in measures]
    return _frame(rows, [*names, "account"])


def webs(run: Run, by: list[str], where: Where = None) -> Iterator[tuple[tuple[Any, ...], Web]]:
    """The network of every group, with the group's labels; without groups one, even if it is empty."""
    frame = flows(run, by=by, where=where)
    frame = frame[frame["measure"] == "settled_fen"]
    own = set(CentralBankAccount)
    frame = frame[~(frame["debtor"].isin(own) | frame["creditor"].isin(own))]
    if not by:
        yield (), _web(frame)
        return
    for label, part in frame.groupby(by, sort=True, dropna=False):
        yield label if isinstance(label, tuple) else (label,), _web(part)


def core_of(web: Web) -> Core:
    """The core (核心): banks that are all linked with each other, while the periphery is linked with the core alone.

    Exact: the division with fewest missing pairs in the core plus pairs in the periphery takes the accounts with most
    partners, one after the other, while each has more partners than stand before it (Lip 2011; direction aside).
    Equal numbers of partners: larger value first, then the name.
    """
    partners = web.joined.sum(axis=1)
    value = [int(web.fen[place].sum() + web.fen[:, place].sum()) for place in range(len(web.names))]
    order = sorted(range(len(web.names)), key=lambda place: (-int(partners[place]), -value[place], web.names[place]))
    size = sum(int(partners[place]) > before for before, place in enumerate(order))
    member = np.zeros(len(web.names), np.bool_)
    member[order[:size]] = True
    errors = size * (size - 1) // 2 + int(partners.sum()) // 2 - int(partners[member].sum())
    return Core(member, errors)


def clustering_of(web: Web) -> npt.NDArray[np.float64]:
    """Share of pairs of partners that are partners themselves, of every account; 0 with fewer than two."""
    joined = web.joined.astype(np.int64)
    partners = joined.sum(axis=1)
    closed = np.einsum("ij,ji->i", joined @ joined, joined)
    pairs = partners * (partners - 1)
    share: npt.NDArray[np.float64] = np.divide(closed, pairs, out=np.zeros(len(partners)), where=pairs > 0)
    return share


def _whole(web: Web) -> list[tuple[str, Any, str]]:
    n, links = len(web.names), int(web.linked.sum())
    both = int((web.linked & web.linked.T).sum())
    whole, returned = sum(web.fen.ravel().tolist()), sum(np.minimum(web.fen, web.fen.T).ravel().tolist())
    core = core_of(web)
    return [
        ("accounts", n, "accounts"),
        ("links", links, "links"),
        ("density", ratio(links, n * (n - 1)), "ratio"),
        ("mean_degree", ratio(links, n), "ratio"),
        ("reciprocity", ratio(both, links), "ratio"),
        ("value_reciprocity", ratio(returned, whole), "ratio"),
        ("clustering", float(clustering_of(web).mean()) if n else None, "ratio"),
        ("core", int(core.member.sum()), "accounts"),
        ("core_errors", ratio(core.errors, int(web.joined.sum()) // 2), "ratio"),
    ]


def _web(frame: pd.DataFrame) -> Web:
    names = sorted({*frame["debtor"], *frame["creditor"]})
    place = {name: number for number, name in enumerate(names)}
    fen = np.zeros((len(names), len(names)), np.int64)
    for debtor, creditor, value in zip(frame["debtor"], frame["creditor"], frame["value"], strict=True):
        if debtor != creditor:
            fen[place[debtor], place[creditor]] += int(value)
    return Web(names, fen)


def _frame(rows: list[tuple[Any, ...]], names: list[str]) -> pd.DataFrame:
    data: dict[str, Any] = {name: label_column(name, [row[place] for row in rows]) for place, name in enumerate(names)}
    data["measure"] = [row[-3] for row in rows]
    data["value"] = values_column([row[-2] for row in rows])
    data["unit"] = [row[-1] for row in rows]
    return pd.DataFrame(data)
