"""Study: many runs of one scenario, what they measured, and how sure one can be of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from cnaps_sim.analysis.study.differences import CONFIDENCE, half_width, paired_differences
from cnaps_sim.run.sweep.folder import read_plan, read_runs
from cnaps_sim.run.sweep.plan import Plan
from cnaps_sim.scenario.vary import label
from cnaps_sim.words.errors import InputError, nearest

By = str | list[str] | tuple[str, ...] | None
Where = Mapping[str, Any] | Callable[[pd.DataFrame], Any] | None

#: Metrics that can be asked about a study, and the measures each answers with: those of systems, those of all.
_OF_DELAY: Final = ("rho", "rho_outbox", "rho_queue", "mean_delay", "delay_p50", "delay_p90", "delay_p99", "delay_max")
_OF_LIQUIDITY: Final = ("opening", "peak_used", "lower_bound", "upper_bound", "settled", "turnover")
_RUN_COLUMNS: Final = ("run", "point", "replication")
#: Said where an interval would look like certainty.
ALL_THE_SAME: Final = "all replications are the same: nothing in this scenario is random"


class Study:
    """The runs of one scenario at several points, each with several replications.

    table: one row per run and measure (see `run.sweep.folder.runs_table`)
    folder: where it was written to or read from; None if nowhere
    """

    def __init__(self, plan: Plan, table: pa.Table, folder: Path | None = None) -> None:
        self.plan = plan
        self.table = table
        self.folder = folder

    @property
    def keys(self) -> list[str]:
        """The keys that vary."""
        return list(self.plan.keys)

    @property
    def replications(self) -> int:
        """How often each point was played."""
        return self.plan.replications

    @cached_property
    def runs(self) -> pd.DataFrame:
        """One row per run and measure: run, point, replication, the keys, system, measure, value, unit.

        `value` is int for payments, fen and ms, float for ratios and means, None where there is none.
        """
        frame = pd.DataFrame({name: _column(self.table[name]) for name in self.table.column_names})
        whole, ratio = self.table["whole"].to_pylist(), self.table["ratio"].to_pylist()
        values = [ratio_ if whole_ is None else whole_ for whole_, ratio_ in zip(whole, ratio, strict=True)]
        frame["value"] = pd.Series(values, dtype=object)
        return frame[[*_RUN_COLUMNS, *self.keys, "system", "measure", "value", "unit"]]

    @cached_property
    def points(self) -> pd.DataFrame:
        """One row per point: point, and the value of each key."""
        return self.runs[["point", *self.keys]].drop_duplicates("point").reset_index(drop=True)

    @cached_property
    def note(self) -> str:
        """What to know before an interval is believed: "all replications are the same …", "" where they differ."""
        groups = self.table.group_by(["point", "system", "measure"])
        counted = pc.CountOptions(mode="all")
        found = groups.aggregate([(name, "count_distinct", counted) for name in ("whole", "ratio")])
        most = max(pc.max(found[f"{name}_count_distinct"]).as_py() for name in ("whole", "ratio"))
        return ALL_THE_SAME if self.replications > 1 and most == 1 else ""

    def summary(self, *, by: By = None, where: Where = None, confidence: float = CONFIDENCE) -> pd.DataFrame:
        """Every measure at every point: mean over replications, and a confidence interval of it.

        by: keys that vary, `run`, `point` or `replication`; by default the point with all its keys
        where: a dict of column -> value or list of values, or a function of `runs` with one True or False per row

        Columns: those of `by`, `system` (None: HVPS and SAPS together), `measure`, `value` (mean, float), `low`, `high`
        (Student's t; null for a single run), `runs` (how many had a value), `unit`. `attrs["note"]` is the `note`, if
        there is any.
        """
        return self._means(self._chosen(where), self._groups(by), confidence)

    def differences(
        self, against: Mapping[str, Any], *, where: Where = None, confidence: float = CONFIDENCE
    ) -> pd.DataFrame:
        """Every measure at every point less that of the same point with other values of some keys, run by run.

        against: those keys and values, such as `{"hvps.discipline": "fifo"}`; where: as of `summary`

        Runs are paired by replication, which met the same payments. Columns: the keys, `system`, `measure`, `a` (mean
        with the values of `against`), `b` (mean at the point), `difference`, `low`, `high` (Student's t on the paired
        differences; null for a single pair), `pairs`, `unit`. InputError if a key does not vary or lacks the value.
        """
        check_level(confidence)
        again = self.points.duplicated(self.keys)  # a design may come to a point twice
        rows = self._chosen(where)
        rows = rows[~again.to_numpy()[rows["point"].to_numpy()]]
        is_base = self._at(against)[rows["point"].to_numpy()]
        on = [key for key in self.keys if key not in against]
        return paired_differences(rows[is_base], rows[~is_base], on, self.keys, confidence)

    def _at(self, values: Mapping[str, Any]) -> Any:
        """Of each point, whether these keys have these values there."""
        chosen = np.ones(len(self.plan.points), np.bool_)
        for key, value in values.items():
            if key not in self.keys:
                raise InputError("against", key, "does not vary in the study", "", ", ".join(self.keys))
            labels = self.plan.labels(self.keys.index(key))
            if label(value) not in labels:
                raise InputError("against", key, "has no such value", label(value), ", ".join(dict.fromkeys(labels)))
            chosen &= np.array(labels) == label(value)
        return chosen

    def metric(self, name: str, *, by: By = None, where: Where = None) -> pd.DataFrame:
        """What a metric says about the study: `summary` of its measures. The metrics call this themselves."""
        names = [by] if isinstance(by, str) else list(by or [])
        rows = self._chosen(where)
        if name == "delay":
            split = "system" in names
            rows = rows[rows["measure"].isin(_OF_DELAY) & rows["system"].notna().eq(split)]
        elif name == "liquidity":
            rows = rows[rows["measure"].isin(_OF_LIQUIDITY) & rows["system"].isna()]
        elif name == "outcomes":
            rows = rows[rows["measure"].str.fullmatch(r"(submitted|settled|rejected|returned|cancelled|queued)_\w+")]
            if "system" not in names:
                rows = self._of_hvps_and_saps(rows)
        else:
            assert name == "headline"
        groups = self._groups([each for each in names if each != "system"])
        found = self._means(rows, groups, CONFIDENCE)
        return found if "system" in names or name == "headline" else found.drop(columns="system")

    def _of_hvps_and_saps(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Outcomes of both systems of the settlement accounts added up, run by run."""
        rows = rows[rows["system"].isin(["HVPS", "SAPS"])]
        columns = [*_RUN_COLUMNS, *self.keys, "measure", "unit"]
        summed = rows.groupby(columns, sort=False, dropna=False)["value"].sum().reset_index()
        return summed.assign(system=None)

    def _groups(self, by: By) -> list[str]:
        names = [by] if isinstance(by, str) else list(by or [])
        known = [*self.keys, *_RUN_COLUMNS]
        for name in names:
            if name not in known:
                raise InputError("by", name, "cannot be grouped by", "", nearest(name, known))
        return names or ["point", *self.keys]

    def _chosen(self, where: Where) -> pd.DataFrame:
        rows = self.runs
        if where is None:
            return rows
        if not isinstance(where, Mapping):
            return rows[np.asarray(where(rows), np.bool_)]
        for name, wanted in where.items():
            if name not in rows.columns:
                raise InputError("where", name, "no such column", "", nearest(name, list(rows.columns)))
            values = wanted if isinstance(wanted, (list, tuple, set, frozenset)) else [wanted]
            rows = rows[rows[name].isin(list(values))]
        return rows

    def _means(self, rows: pd.DataFrame, groups: list[str], confidence: float) -> pd.DataFrame:
        check_level(confidence)
        columns = [*groups, "system", "measure", "unit"]
        values = rows.assign(value=rows["value"].astype(np.float64))
        found = values.groupby(columns, sort=False, dropna=False)["value"].agg(["mean", "std", "count"]).reset_index()
        half = half_width(found["std"].to_numpy(), found["count"].to_numpy(), confidence)
        found = found.assign(value=found["mean"], low=found["mean"] - half, high=found["mean"] + half)
        found["system"] = found["system"].astype(object).where(found["system"].notna(), None)
        means = found.rename(columns={"count": "runs"})
        means.attrs |= {"note": self.note} if self.note else {}
        return means[[*groups, "system", "measure", "value", "low", "high", "runs", "unit"]]

    def __repr__(self) -> str:
        points = f"{len(self.plan.points):,} points x {self.replications:,} runs"
        return f"<Study {self.plan.name}: {points}, {', '.join(self.keys)}>"


def check_level(confidence: float) -> None:
    """InputError if it is no level of confidence."""
    if not 0 < confidence < 1:
        raise InputError("confidence", "", "is no level", confidence, "above 0 and below 1")


def _column(column: pa.ChunkedArray) -> pd.Series[Any]:
    if pa.types.is_dictionary(column.type):
        return pd.Series(column.cast(pa.string()).to_pylist(), dtype=object)
    return column.to_pandas()  # type: ignore[no-any-return]


def load_study(folder: str | Path) -> Study:
    """The study kept in a folder. InputError if it is none, or not complete."""
    plan, complete = read_plan(folder, "study")
    if not complete:
        raise InputError("study", "", "is not complete", folder, f"cnaps-sim sweep --resume {folder}")
    return Study(plan, read_runs(plan, folder), Path(folder))
