"""The plan of a study: which scenario, which points, how many replications; all that a worker needs to be told."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Self

import cnaps_sim
from cnaps_sim.run.runner import file_sha256, resolved_with_places
from cnaps_sim.run.sweep.design import Point, points_of
from cnaps_sim.scenario.load import Loaded, from_dict
from cnaps_sim.scenario.vary import VaryTerms, label
from cnaps_sim.words.errors import InputError

#: Runs of a study beyond which its results would not fit into memory.
MOST_RUNS: Final = 2_000_000


@dataclass(frozen=True)
class Plan:
    """A study before it is played.

    Run r plays point r // replications with the random streams of replication r % replications, so that all points
    meet the same chance (common random numbers).

    scenario: the resolved scenario, its files as absolute paths, without `vary` and `replications`
    inputs:   digest of each of its files
    keys:     the dotted keys that vary; points: one value per key each
    design:   how the points were chosen
    measures: the researcher's own, `module:function` each (see `sweep.own`)
    """

    scenario: dict[str, Any]
    inputs: dict[str, str]
    keys: tuple[str, ...]
    points: tuple[Point, ...]
    replications: int
    design: str
    version: str = cnaps_sim.__version__
    measures: tuple[str, ...] = ()

    @classmethod
    def of(cls, loaded: Loaded, vary: VaryTerms, replications: int, measures: Sequence[str] = ()) -> Self:
        """The plan of a checked scenario. InputError if it makes too many runs."""
        scenario = resolved_with_places(loaded)
        for key in ("vary", "replications"):
            scenario.pop(key, None)
        points = tuple(points_of(vary, loaded.scenario.seed))
        if len(points) * replications > MOST_RUNS:
            asked = f"{len(points):,} points, {replications:,} replications"
            raise InputError("replications", "", "makes too many runs", asked, f"up to {MOST_RUNS:,} runs")
        inputs = {key: file_sha256(path) for key, path in loaded.files.items()}
        return cls(
            scenario, inputs, tuple(vary.keys), points, replications, vary.design.value, measures=tuple(measures)
        )

    @property
    def runs(self) -> int:
        """How many runs the study has."""
        return len(self.points) * self.replications

    @property
    def name(self) -> str:
        """The name of the scenario."""
        return str(self.scenario["name"])

    @cached_property
    def digest(self) -> str:
        """SHA-256 over everything that the results depend on; files count by their content."""
        text = json.dumps(self.as_dict(), ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def as_dict(self) -> dict[str, Any]:
        """The plan as plain data, for study.json."""
        own = {"measures": list(self.measures)} if self.measures else {}
        return {
            "version": self.version,
            "scenario": self.scenario,
            "inputs": self.inputs,
            "design": self.design,
            "keys": list(self.keys),
            "points": [list(point) for point in self.points],
            "replications": self.replications,
            **own,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """The plan that `as_dict` has written. KeyError or TypeError for anything else."""
        return cls(
            scenario=dict(data["scenario"]),
            inputs=dict(data["inputs"]),
            keys=tuple(data["keys"]),
            points=tuple(tuple(point) for point in data["points"]),
            replications=int(data["replications"]),
            design=str(data["design"]),
            version=str(data["version"]),
            measures=tuple(map(str, data.get("measures", ()))),
        )

    def loaded(self, point: int) -> Loaded:
        """The checked scenario of a point. InputError says which of its values cannot be."""
        return from_dict(self.scenario, list(zip(self.keys, self.points[point], strict=True)), said="vary")

    def check(self) -> None:
        """Check the scenario of every point, so that nothing fails after an hour."""
        for point in range(len(self.points)):
            self.loaded(point)

    def told(self, run: int) -> str:
        """A run for people: its number, the value of each key, and the replication."""
        point, replication = divmod(run, self.replications)
        values = [f"{key}={label(value)}" for key, value in zip(self.keys, self.points[point], strict=True)]
        return f"run {run} ({', '.join([*values, f'replication {replication}'])})"

    def labels(self, key: int) -> list[str]:
        """The value of one key at every point, for people."""
        return [label(point[key]) for point in self.points]

    def batches(self, wanted: Sequence[int], workers: int) -> list[list[int]]:
        """Runs in the order in which they are best played: a replication's points together, which share payments.

        None is so long that another worker would have to wait for it.
        """
        longest = max(1, min(16, len(wanted) // (4 * workers)))
        ordered = sorted(wanted, key=lambda run: (run % self.replications, run))
        batches: list[list[int]] = []
        for run in ordered:
            same = bool(batches) and batches[-1][0] % self.replications == run % self.replications
            if same and len(batches[-1]) < longest:
                batches[-1].append(run)
            else:
                batches.append([run])
        return batches
