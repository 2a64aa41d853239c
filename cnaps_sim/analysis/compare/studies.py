"""Compare two studies, or two cells of one: measure by measure, the difference of runs that met the same chance.

Points are paired by the keys that still vary in both, runs of a pair by replication: with the same seed they met the
same payments. What a mean difference is worth is told by Student's t on the paired differences.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from cnaps_sim.analysis.study.differences import CONFIDENCE, paired_differences
from cnaps_sim.analysis.study.study import Study, check_level, load_study
from cnaps_sim.scenario.vary import label
from cnaps_sim.words.errors import InputError

#: Without these in common two studies share neither the random streams nor the dates.
_SAME: Final = ("seed", "date", "days")
#: Keys of a scenario that say nothing of what is played.
_SAYING: Final = ("name", "question", "record")
#: Measures that payments alone decide.
_PAYMENTS: Final = ("submitted_count", "submitted_value")
_PLACES: Final = ("STUDY_A", "STUDY_B")

#: Values of varying keys that choose cells of a study.
Cells = Mapping[str, Any] | None


@dataclass(frozen=True)
class StudyComparison:
    """Two studies side by side; differences are second less first.

    keys:     the keys by whose values points are paired
    differs:  key, value in A, value in B: what else is not the same in the two
    measures: one row per pair of points and measure: the keys, system (None: HVPS and SAPS together), measure, a, b
        (means over the pairs of runs), difference, low, high (null for one pair), pairs, unit
    counts:   points and replications, paired and in one study alone
    same_payments: whether the runs of every pair were told to pay the same, in number and value
    """

    name_a: str
    name_b: str
    keys: list[str]
    differs: list[tuple[str, str, str]]
    measures: pd.DataFrame
    counts: dict[str, int]
    same_payments: bool
    confidence: float

    def as_dict(self) -> dict[str, Any]:
        """The object that `compare --json` prints."""
        rows = self.measures.astype(object).where(self.measures.notna(), None)
        return {
            "study_a": self.name_a,
            "study_b": self.name_b,
            "keys": self.keys,
            "differs": [{"key": key, "a": a, "b": b} for key, a, b in self.differs],
            "counts": self.counts,
            "same_payments": self.same_payments,
            "confidence": self.confidence,
            "measures": rows.to_dict("records"),
        }


def compare_studies(
    study_a: str | Path | Study,
    study_b: str | Path | Study,
    where_a: Cells = None,
    where_b: Cells = None,
    confidence: float = CONFIDENCE,
) -> StudyComparison:
    """Pair the runs of two studies by point and replication, and say what the second changes, and how surely.

    where_a, where_b: cells of each, such as `{"hvps.discipline": "fifo"}`; the studies may then be the same one
    confidence: of the intervals

    InputError says why the studies do not pair: another seed, date or number of days, a key that varies in one of them
    alone, no point in common.
    """
    check_level(confidence)
    studies = [each if isinstance(each, Study) else load_study(each) for each in (study_a, study_b)]
    for key in _SAME:
        told = [study.plan.scenario.get(key) for study in studies]
        if told[0] != told[1]:
            raise InputError("STUDY_B", key, "the two studies do not pair", told[1], f"that of STUDY_A, {told[0]}")
    cells = [_cells(*each) for each in zip(studies, (where_a, where_b), _PLACES, strict=True)]
    keys = _keys_of_pairs(cells)
    rows = [_rows(study, points, keys) for study, points in zip(studies, cells, strict=True)]
    on = [f"key {key}" for key in keys]
    found = paired_differences(rows[0], rows[1], on, ["place", *on], confidence)
    if found.empty:
        values = " and ".join(f"{key} {_some(cells[0][key])}" for key in keys) or "other replications"
        raise InputError("STUDY_B", ", ".join(keys), "the two studies have no point in common", "", values)
    found = found.drop(columns="place").rename(columns=dict(zip(on, keys, strict=True)))
    names = [_name(*each) for each in zip(studies, (study_a, study_b), (where_a, where_b), strict=True)]
    differs = _differs(studies, cells, keys)
    counts = _counts(studies, rows, on)
    return StudyComparison(names[0], names[1], keys, differs, found, counts, _same_payments(found), confidence)


# points and runs that pair ------------------------------------------------------------------------------------


def _cells(study: Study, where: Cells, place: str) -> pd.DataFrame:
    """The points of a study that are compared: point, and the value of each key as text."""
    plan = study.plan
    points = pd.DataFrame({key: plan.labels(number) for number, key in enumerate(plan.keys)}, dtype=object)
    points.insert(0, "point", range(len(plan.points)))
    for key, value in (where or {}).items():
        if key not in plan.keys:
            raise InputError(place, key, "does not vary in the study", "", ", ".join(plan.keys))
        wanted = [label(each) for each in (value if isinstance(value, list | tuple) else [value])]
        chosen = points[points[key].isin(wanted)]
        if chosen.empty:
            raise InputError(place, key, "has no such value", ", ".join(wanted), _some(points[key]))
        points = chosen
    return points.drop_duplicates(list(plan.keys))  # a design may come to a point twice


def _keys_of_pairs(cells: list[pd.DataFrame]) -> list[str]:
    """The keys that still vary. InputError if one does so in one study alone."""
    varying = [[key for key in points.columns[1:] if points[key].nunique() > 1] for points in cells]
    keys = list(dict.fromkeys([*varying[0], *varying[1]]))
    for number, other in ((0, 1), (1, 0)):
        for key in varying[number]:
            if key not in cells[other].columns:
                problem = f"varies in {_PLACES[number]} alone, so that the points do not pair"
                option = f"one value: --where-{'ab'[number]} {key}=…"
                raise InputError(_PLACES[number], key, problem, _some(cells[number][key]), option)
    return keys


def _rows(study: Study, points: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """The runs at these points, and beside them the values by which points are paired; `place` counts the points."""
    told = {f"key {key}": points[key].to_numpy(object) for key in keys}
    places = pd.DataFrame({"point": points["point"].to_numpy(), "place": range(len(points)), **told})
    rows: pd.DataFrame = study.runs[["point", "replication", "system", "measure", "value", "unit"]]
    return rows.merge(places, on="point")


def _counts(studies: list[Study], rows: list[pd.DataFrame], on: list[str]) -> dict[str, int]:
    """Points and replications in both and in one alone."""
    points = [set(zip(*(part[name] for name in on), strict=True)) if on else {()} for part in rows]
    both, replications = points[0] & points[1], [study.replications for study in studies]
    paired = min(replications)
    return {
        "points": len(both), "points_only_a": len(points[0] - both), "points_only_b": len(points[1] - both),
        "replications": paired, "replications_only_a": replications[0] - paired,
        "replications_only_b": replications[1] - paired, "pairs": len(both) * paired,
    }  # fmt: skip


def _same_payments(measures: pd.DataFrame) -> bool:
    told = measures[measures["measure"].isin(_PAYMENTS) & (measures["system"] != "SAPS")]
    return bool(((told["difference"] == 0) & ~(told["high"] > told["low"])).all())


# what differs -------------------------------------------------------------------------------------------------


def _differs(studies: list[Study], cells: list[pd.DataFrame], keys: list[str]) -> list[tuple[str, str, str]]:
    """Keys in which the compared points differ beside those by which they are paired, with both values as text."""
    told: list[dict[str, str]] = []
    whole = dict.fromkeys(key for points in cells for key in points.columns[1:] if key not in keys)
    for study, points in zip(studies, cells, strict=True):
        leaves = _leaves(study.plan.scenario)
        fixed = {key: str(points[key].iloc[0]) if key in points else _value(study, key) for key in whole}
        leaves = {key: text for key, text in leaves.items() if not any(key.startswith(f"{name}.") for name in whole)}
        told.append({"version": study.plan.version, **leaves, **fixed})
    names = [key for key in dict.fromkeys([*told[0], *told[1]]) if key not in (*_SAYING, *keys)]
    pairs = [(key, told[0].get(key, "not set"), told[1].get(key, "not set")) for key in names]
    return [each for each in pairs if each[1] != each[2]]


def _value(study: Study, key: str) -> str:
    """The value of a key that does not vary in a study, as text."""
    part: Any = study.plan.scenario
    for step in key.split("."):
        part = part.get(step) if isinstance(part, Mapping) else None
    return label(part)


def _leaves(part: Mapping[str, Any], above: str = "") -> dict[str, str]:
    """The values of a resolved scenario by dotted key, as text; a list counts as one value."""
    found: dict[str, str] = {}
    for key, value in part.items():
        if isinstance(value, Mapping) and value:
            found |= _leaves(value, f"{above}{key}.")
        else:
            found[f"{above}{key}"] = label(value)
    return found


def _some(values: Any) -> str:
    """Different values for a message, not too many."""
    different = list(dict.fromkeys(str(value) for value in values))
    return ", ".join(different[:6]) + (", …" if len(different) > 6 else "")


def _name(study: Study, given: object, where: Cells) -> str:
    name = str(given) if not isinstance(given, Study) else str(study.folder or study.plan.name)
    chosen = {key: value if isinstance(value, list | tuple) else [value] for key, value in (where or {}).items()}
    told = ", ".join(f"{key}={','.join(label(each) for each in values)}" for key, values in chosen.items())
    return f"{name} ({told})" if told else name
