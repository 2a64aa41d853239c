"""Small words that several parts of a report use: names of accounts, amounts and shares that may be missing."""

from __future__ import annotations

from typing import Any

import numpy as np

from cnaps_sim.analysis.drawing import money, percent
from cnaps_sim.analysis.metrics.columns import Columns, columns_of, has_table


def account_names(view: Any) -> dict[str, str]:
    """What each participant is called, by account; those without a name are left out."""
    if not has_table(view, "accounts"):
        return {}
    columns = columns_of(view, "accounts", Columns)
    account, name = columns.codes("account"), columns.codes("name")
    pairs = zip(account.codes.tolist(), name.codes.tolist(), strict=True)
    return {str(account.labels[a]): str(name.labels[n]) for a, n in pairs if n >= 0}


def account_kinds(view: Any) -> dict[str, str]:
    """The class of each participant that has one, by account."""
    if not has_table(view, "accounts"):
        return {}
    columns = columns_of(view, "accounts", Columns)
    account, kind = columns.codes("account"), columns.codes("kind")
    pairs = zip(account.codes.tolist(), kind.codes.tolist(), strict=True)
    return {str(account.labels[a]): str(kind.labels[k]) for a, k in pairs if k >= 0}


def money_or_dash(fen: Any) -> str:
    """An amount for people, a dash if there is none."""
    return "–" if fen is None or fen != fen else money(fen)


def share_or_dash(value: Any) -> str:
    """A share in percent, a dash if there is none."""
    return "–" if value is None or not np.isfinite(float(value)) else percent(float(value))
