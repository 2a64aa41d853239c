"""Compare: two runs of the same payments, payment by payment and measure by measure, and who delayed whom."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from cnaps_sim.analysis.compare.causes import NOBODY, REASONS, Causes, causes_of
from cnaps_sim.analysis.compare.pairs import Pairs, Side, paired
from cnaps_sim.analysis.metrics.columns import NONE
from cnaps_sim.analysis.metrics.payments import OUTCOMES
from cnaps_sim.run.store import Run, load

_LIQUIDITY: Final = ("opening_fen", "peak_used_fen", "lower_bound_fen", "upper_bound_fen", "turnover")
_BLAMED: Final = ("because_of", "delayed")
_NOTHING: Final = np.array([None], object)


@dataclass(frozen=True)
class Comparison:
    """Two runs side by side; differences are second less first.

    payments: one row per pair: payment_id, system, debtor, creditor, amount_fen, outcome_a, outcome_b, final_a_ms,
        final_b_ms, later_ms (null unless it settled in both), released_by_a, released_by_b, and where it is worse off
        reason, of (the payment behind that), root, root_reason, because_of (the bank that sends the root)
    measures: scope, measure, unit, a, b, difference, from the two runs' summaries
    blame: because_of (bank), delayed (bank), payments, value_fen, later_ms (sum over those that settled in both),
        lost_count, lost_fen (settled in the first run alone); the worst first
    counts: paired, only_a, only_b, same, sooner, later, lost, gained, and their values
    """

    name_a: str
    name_b: str
    payments: pd.DataFrame
    measures: pd.DataFrame
    blame: pd.DataFrame
    counts: dict[str, int]

    def as_dict(self) -> dict[str, Any]:
        """The object that `compare --json` prints: all but the payments that are the same in both runs."""
        changed = self.payments[_changed(self.payments)]
        return {
            "run_a": self.name_a,
            "run_b": self.name_b,
            "counts": self.counts,
            "measures": _records(self.measures),
            "blame": _records(self.blame),
            "payments": _records(changed),
        }

    def chain(self, payment_id: str) -> list[str]:
        """The ids from a payment back to its root; one that is not worse off has none but itself."""
        chain = [payment_id]
        while (before := self._of.get(chain[-1])) is not None and before not in chain:
            chain.append(before)
        return chain

    @cached_property
    def _of(self) -> dict[str, str]:
        """The payment behind each one that has one."""
        behind = self.payments.loc[self.payments["of"].notna(), ["payment_id", "of"]]
        return dict(zip(behind["payment_id"], behind["of"], strict=True))


def compare_runs(run_a: str | Path | Run, run_b: str | Path | Run) -> Comparison:
    """Pair two runs by payment id. InputError if dates or payments differ, or payments were not recorded."""
    first, second = (run if isinstance(run, Run) else load(run) for run in (run_a, run_b))
    pairs = paired(first, second)
    causes = causes_of(pairs)
    names = [_name(run, given) for run, given in ((first, run_a), (second, run_b))]
    return Comparison(
        names[0],
        names[1],
        _payments(pairs, causes),
        _measures(first.summary, second.summary),
        _blame(pairs, causes),
        _counts(pairs),
    )


def _name(run: Run, given: object) -> str:
    if not isinstance(given, Run):
        return str(given)
    return str(run.folder) if run.folder is not None else f"{run.scenario.get('name')} seed {run.manifest['seed']}"


def _payments(pairs: Pairs, causes: Causes) -> pd.DataFrame:
    def ids(rows: Any) -> Any:  # the last place is that of nobody, -1
        return _text(np.append(pairs.ids, _NOTHING)[rows])

    outcomes = np.array(OUTCOMES, object)
    reasons = np.array([None, *REASONS[1:]], object)
    root_bank = _text(np.append(pairs.debtor, _NOTHING)[causes.root])
    return pd.DataFrame(
        {
            "payment_id": pairs.ids,
            "system": pairs.system,
            "debtor": pairs.debtor,
            "creditor": pairs.creditor,
            "amount_fen": pairs.amount,
            "outcome_a": outcomes[pairs.a.outcome],
            "outcome_b": outcomes[pairs.b.outcome],
            "final_a_ms": _nullable(pairs.a),
            "final_b_ms": _nullable(pairs.b),
            "later_ms": pd.Series(pairs.later, dtype="Int64").mask(~pairs.both),
            "released_by_a": _text(pairs.a.released_by),
            "released_by_b": _text(pairs.b.released_by),
            "reason": _text(reasons[causes.reason]),
            "of": ids(causes.of),
            "root": ids(causes.root),
            "root_reason": _text(reasons[causes.root_reason]),
            "because_of": root_bank,
        }
    )


def _text(values: Any) -> pd.Series[Any]:
    """Text with None, not NaN, where it does not apply."""
    return pd.Series(values, dtype=object)


def _nullable(side: Side) -> Any:
    return pd.Series(side.final, dtype="Int64").mask(side.final == NONE)


def _changed(frame: pd.DataFrame) -> Any:
    moved = frame["later_ms"].fillna(0) != 0
    return moved | (frame["outcome_a"] != frame["outcome_b"])


def _measures(a: dict[str, Any], b: dict[str, Any]) -> pd.DataFrame:
    """Every figure of the two summaries, one row each; a system that one run lacks has nulls."""
    rows: list[tuple[str, str, str, Any, Any]] = []
    for system in dict.fromkeys([*a["systems"], *b["systems"]]):
        of_a, of_b = a["systems"].get(system, {}), b["systems"].get(system, {})
        for name in ("submitted", *OUTCOMES, "peak_queue"):
            for part, unit in (("count", "payments"), ("value_fen", "fen")):
                pair = [of.get(name, {}).get(part) for of in (of_a, of_b)]
                rows.append((system, f"{name}_{part}", unit, *pair))
        rows.append((system, "delay_rho", "ratio", of_a.get("delay_rho"), of_b.get("delay_rho")))
        rows.append((system, "mean_delay_ms", "ms", of_a.get("mean_delay_ms"), of_b.get("mean_delay_ms")))
    for name in _LIQUIDITY:
        unit = "fen" if name.endswith("_fen") else "ratio"
        rows.append(("liquidity", name, unit, a["liquidity"].get(name), b["liquidity"].get(name)))
    told = [(*row, None if None in row[3:] else row[4] - row[3]) for row in rows]
    columns = ["scope", "measure", "unit", "a", "b", "difference"]
    return pd.DataFrame(told, columns=columns, dtype=object)  # counts and fen stay whole numbers


def _blame(pairs: Pairs, causes: Causes) -> pd.DataFrame:
    """Added delay and lost payments by the bank behind the root and the bank that is delayed."""
    rows = np.flatnonzero(causes.root != NOBODY)
    worse = pd.DataFrame(
        {
            "because_of": pairs.debtor[causes.root[rows]],
            "delayed": pairs.debtor[rows],
            "payments": np.ones(len(rows), np.int64),
            "value_fen": pairs.amount[rows],
            "later_ms": np.maximum(pairs.later[rows], 0),
            "lost_count": pairs.lost[rows].astype(np.int64),
            "lost_fen": np.where(pairs.lost[rows], pairs.amount[rows], 0),
        }
    )
    summed = worse.groupby(list(_BLAMED), as_index=False, sort=True).sum()
    order = ["lost_fen", "later_ms", *_BLAMED]
    return summed.sort_values(order, ascending=[False, False, True, True], ignore_index=True)


def _counts(pairs: Pairs) -> dict[str, int]:
    counts = {"paired": len(pairs.ids), "only_a": pairs.only_a, "only_b": pairs.only_b}
    kinds = {
        "same": ~pairs.worse & ~pairs.gained & (pairs.later == 0),
        "sooner": pairs.later < 0,
        "later": pairs.later > 0,
        "lost": pairs.lost,
        "gained": pairs.gained,
    }
    for name, chosen in kinds.items():
        counts[name] = int(chosen.sum())
        counts[f"{name}_fen"] = sum(pairs.amount[chosen].tolist())
    both = int(pairs.both.sum())
    counts["settled_in_both"] = both
    counts["later_mean_ms"] = round(int(pairs.later.sum()) / both) if both else 0
    return counts


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as plain values; null for what does not apply."""
    columns = {name: [None if value is pd.NA else value for value in frame[name].tolist()] for name in frame.columns}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
