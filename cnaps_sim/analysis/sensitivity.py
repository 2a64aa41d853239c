"""Sensitivity (敏感性分析): which of the parameters without a public source the headline figures hang on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from cnaps_sim.analysis.simulate import read
from cnaps_sim.run.sensitivity import MEASURES, USUAL_WORKERS, Done, Effect, Figures, Found, Sensitivity
from cnaps_sim.scenario.assumptions import Assumption, assumptions
from cnaps_sim.scenario.workload import RETAIL_SYSTEMS, Generator
from cnaps_sim.words.errors import InputError, nearest

if TYPE_CHECKING:
    from cnaps_sim.scenario.model import Scenario

#: What a parameter is divided and multiplied by if nobody says.
USUAL_FACTOR: Final = Decimal("1.5")
#: The day is made so small that it has at most so many generated payments; an item of BEPS or IBPS counts a tenth.
MOST_PAYMENTS: Final = 200_000
_RETAIL_WEIGHT: Final = Decimal("0.1")
_COLUMNS: Final = (
    "measure", "unit", "rank", "parameter", "value", "low", "high", "at_low", "at_high", "effect", "beyond_chance",
)  # fmt: skip


def sensitivity(
    scenario: str | Path | Mapping[str, Any] | Scenario,
    *,
    factor: str | Decimal | int = USUAL_FACTOR,
    only: Sequence[str] = (),
    scale: str | Decimal | int | None = None,
    seed: int | None = None,
    set: Sequence[str] | Mapping[str, Any] = (),
    workers: int | None = None,
    progress: Done | None = None,
) -> pd.DataFrame:
    """Vary every parameter without a public source, one at a time, and rank them by what each figure owes to them.

    scenario, seed, set: as of `simulate`; a scenario whose payments travel as messages is refused
    factor: text or Decimal above 1, by which a number is divided (low) and multiplied (high); a share ends at 1, a word
        or switch of two takes its other value, of a list of times every second one goes or one comes between each two
    only: keys, or beginnings of keys, of the parameters to vary; all if left out
    scale: replaces the scenario's; if left out, such that the day has at most 200 000 generated payments (an item of
        BEPS or IBPS counts a tenth)
    workers: threads; what is found does not depend on them
    progress: told how many plays are done, and of how many

    One row per figure (`measure`, see `cnaps_sim.run.sensitivity.MEASURES`, with its `unit`) and parameter, for each
    figure the parameter with the largest effect first: `rank` from 1; `parameter` as `--set` takes it; `value`, `low`
    and `high` as a file writes them; `at_low` and `at_high` the figure with these; `effect` the larger of the two
    differences from the base; `beyond_chance` whether it is more than any other seed makes. `frame.attrs` has
    `scenario`, `date`, `seed`, `scale`, `factor`, the figures as they are (`base`), the largest difference that another
    seed makes (`chance`), descriptions of the `parameters`, and why others are `not_varied`.
    InputError says what is wrong in the scenario, its files or an argument.
    """
    by = _number("factor", factor, Decimal(1))
    if workers is not None and (not isinstance(workers, int) or workers < 1):
        raise InputError("workers", "", "is no number of threads", workers, "from 1")
    loaded = read(scenario, set, seed)
    size = usual_scale(loaded.scenario) if scale is None else _number("scale", scale, Decimal(0))
    loaded = read(loaded_again(scenario), _with_scale(set, size), seed)
    known = assumptions(loaded.scenario, by)
    chosen = _chosen(known, only)
    varied = [each for each in chosen if not each.why_not]
    found = Sensitivity(loaded).of(varied, USUAL_WORKERS if workers is None else workers, progress)
    chance = {name: _chance(found, name) for name in MEASURES}
    frame = _frame(found, chance)
    frame.attrs = {
        "scenario": loaded.scenario.name,
        "date": loaded.scenario.date.isoformat(),
        "seed": loaded.scenario.seed,
        "scale": format(size.normalize(), "f"),
        "factor": format(by.normalize(), "f"),
        "base": found.base,
        "chance": chance,
        "parameters": {each.key: each.about for each in varied},
        "not_varied": {each.key: each.why_not for each in chosen if each.why_not}
        | {effect.assumption.key: effect.problem for effect in found.effects if effect.problem},
    }
    return frame
