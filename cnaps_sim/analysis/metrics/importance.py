"""Systemic importance (系统重要性): how much of what the others pay depends on each bank, from an N-1 sweep."""

from __future__ import annotations

from typing import Any

import pandas as pd

from cnaps_sim.analysis.metrics.columns import Where, check_where
from cnaps_sim.analysis.metrics.tidy import By, ratio, values_column
from cnaps_sim.words.errors import InputError

_NEEDED = ("account", "unsettled_fen", "own_unsettled_fen", "banks_affected", "rho_added")


def importance(stressed: pd.DataFrame, *, by: By = "account", where: Where = None) -> pd.DataFrame:
    """Systemic importance of every bank, the most important first; `stressed` is what `cs.stress` returns.

    `disruption`: value of other banks that no longer settles when this bank is under the strain / value settled in
    the undisturbed day; `importance`: this value / its sum over all banks' strains (shares that add up to 1);
    `contagion`: value unsettled at the others / value of the bank's own payments unsettled; `reach`: other banks
    affected / other banks; `delay_added`: rise of the others' settlement delay. Unit: ratio, null without
    denominator. `by` is "account" alone; `where` as in all metrics, on the rows of `stressed`; shares stay those of
    all banks. InputError for a frame that did not come from `cs.stress`. Source: the N-1 sweep of simulators of
    settlement systems (Leinonen ed., Bank of Finland studies E:31, 2005); the measures are defined here.
    """
    if not isinstance(stressed, pd.DataFrame):
        raise InputError("stressed", "", "is no table", type(stressed).__name__, "what cs.stress returns")
    undisturbed = stressed.attrs.get("undisturbed")
    missing = [name for name in _NEEDED if name not in stressed]
    if undisturbed is None or missing:
        key = missing[0] if missing else "undisturbed"
        raise InputError("stressed", key, "is missing", "", "what cs.stress returns")
    if by not in ("account", ["account"]):
        raise InputError("by", str(by), "cannot be grouped by", "", "account")
    settled, banks = int(undisturbed["settled_fen"]), len(stressed)
    lost = sum(int(fen) for fen in stressed["unsettled_fen"])
    chosen = _chosen(stressed, where).sort_values(["unsettled_fen", "rho_added"], ascending=False, kind="stable")
    rows: list[tuple[str, str, Any]] = []
    for row in chosen.to_dict("records"):
        fen = int(row["unsettled_fen"])
        for measure, value in (
            ("disruption", ratio(fen, settled)),
            ("importance", ratio(fen, lost)),
            ("contagion", ratio(fen, int(row["own_unsettled_fen"]))),
            ("reach", ratio(int(row["banks_affected"]), banks - 1)),
            ("delay_added", float(row["rho_added"])),
        ):
            rows.append((str(row["account"]), measure, value))
    return pd.DataFrame(
        {
            "account": pd.Series([row[0] for row in rows], dtype=object),
            "measure": [row[1] for row in rows],
            "value": values_column([row[2] for row in rows]),
            "unit": "ratio",
        }
    )


def _chosen(stressed: pd.DataFrame, where: Where) -> pd.DataFrame:
    if where is None:
        return stressed
    check_where(where)
    if callable(where):
        return stressed[where(stressed)]
    for name, wanted in where.items():
        if name not in stressed:
            raise InputError("where", name, "is no column of what cs.stress returns", "", ", ".join(stressed.columns))
        values = list(wanted) if isinstance(wanted, list | tuple | set | frozenset) else [wanted]
        stressed = stressed[stressed[name].isin(values)]
    return stressed
