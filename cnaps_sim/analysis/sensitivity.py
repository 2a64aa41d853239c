"""Sensitivity (敏感性分析): which of the parameters without a public source the headline figures hang on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from cnaps_sim.analysis.simulate import Settings, read
from cnaps_sim.run.sensitivity import MEASURES, USUAL_WORKERS, Done, Effect, Figures, Found, Sensitivity
from cnaps_sim.scenario.assumptions import Assumption, assumptions
from cnaps_sim.scenario.workload import BepsGenerator, IbpsGenerator, WorkloadGenerator
from cnaps_sim.words.errors import InputError, nearest

if TYPE_CHECKING:
    from cnaps_sim.scenario.model import Scenario

#: What a parameter is divided and multiplied by if nobody says.
USUAL_FACTOR: Final = Decimal("1.5")
#: The day is made so small that it has at most so many generated payments.
MOST_PAYMENTS: Final = 1_000_000
#: Scales that are taken without being asked for.
_SCALES: Final = tuple(
    Decimal(step).scaleb(-power) for power in range(7) for step in ((1,) if power == 0 else (5, 2, 1))
)
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
    set: Settings = (),
    workers: int | None = None,
    progress: Done | None = None,
) -> pd.DataFrame:
    """Vary every parameter without a public source, one at a time, and rank them by what each figure owes to them.

    scenario, seed, set: as of `simulate`; a scenario whose payments travel as messages is refused
    factor: text or Decimal above 1, by which a number is divided (low) and multiplied (high); a share ends at 1, a word
        or switch of two takes its other value, of a list of times every second one goes or one comes between each two
    only: keys, or beginnings of keys, of the parameters to vary; all if left out
    scale: replaces the scenario's; if left out, such that the day has at most 1 000 000 generated payments
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
    loaded = read(scenario, _with_scale(set, size), seed)
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


def usual_scale(scenario: Scenario) -> Decimal:
    """The scale of the scenario, or the largest of 0.5, 0.2, 0.1, 0.05, … with which the day is small enough."""
    payments = Decimal(0)
    for entry in scenario.workload:
        if isinstance(entry, WorkloadGenerator | BepsGenerator | IbpsGenerator):
            payments += entry.count * scenario.days
    if payments * scenario.scale <= MOST_PAYMENTS:
        return scenario.scale
    return next((scale for scale in _SCALES if payments * scale <= MOST_PAYMENTS), _SCALES[-1])


def _with_scale(overrides: Settings, scale: Decimal) -> Settings:
    """The overrides with the scale as the last of them."""
    text = format(scale, "f")
    if isinstance(overrides, Mapping):
        return {**overrides, "scale": text}
    return [*([overrides] if isinstance(overrides, str) else overrides), f"scale={text}"]


def _number(argument: str, value: object, above: Decimal) -> Decimal:
    if isinstance(value, str | int | Decimal) and not isinstance(value, bool):
        try:
            number = Decimal(value)
        except InvalidOperation:
            number = Decimal("NaN")
        if number.is_finite() and above < number <= 1000:
            return number
    allowed = f"text or Decimal, a number above {above} and up to 1000"
    raise InputError(argument, "", "is no such number", value, allowed)


def _chosen(known: Sequence[Assumption], only: Sequence[str]) -> list[Assumption]:
    """The parameters that `only` names. InputError for a name of none, and of none that can be varied."""
    if isinstance(only, str):
        raise InputError("only", "", "must be a list of keys", only)
    if not only:
        return list(known)
    for name in only:
        named = [each for each in known if _is_below(each.key, name)]
        if not named:
            keys = [each.key for each in known]
            problem = "no parameter of this scenario without a public source"
            raise InputError(
                "only", name, problem, "", nearest(name, keys) or "none, this scenario has no such parameter"
            )
        if all(each.why_not for each in named):
            raise InputError("only", name, f"is not varied: {named[0].why_not}", named[0].value)
    return [each for each in known if any(_is_below(each.key, name) for name in only)]


def _is_below(key: str, name: str) -> bool:
    return key == name or key.startswith(f"{name}.")


def _difference(figures: Figures | None, base: Figures, measure: str) -> float | int | None:
    """How far a figure is from the base; None where either is missing."""
    value, usual = (None if figures is None else figures[measure]), base[measure]
    return None if value is None or usual is None else abs(value - usual)


def _chance(found: Found, measure: str) -> float | int | None:
    told = [_difference(other, found.base, measure) for other in found.chance]
    return max((each for each in told if each is not None), default=None)


def _largest(found: Found, measure: str) -> list[tuple[float | int, Effect]]:
    """The effects on a figure, each with the larger of its two differences from the base."""
    pairs = []
    for effect in found.effects:
        told = [_difference(side, found.base, measure) for side in (effect.at_low, effect.at_high)]
        differences = [each for each in told if each is not None]
        if differences:
            pairs.append((max(differences), effect))
    return pairs


def _frame(found: Found, chance: Mapping[str, float | int | None]) -> pd.DataFrame:
    """The table, each figure ranked by itself; equal effects stand in the order of the file."""
    rows: list[tuple[Any, ...]] = []
    for measure, unit in MEASURES.items():
        if found.base[measure] is None:
            continue
        ranked = sorted(_largest(found, measure), key=lambda pair: -pair[0])
        by_chance = chance[measure]
        for rank, (largest, effect) in enumerate(ranked, 1):
            each = effect.assumption
            told = map(as_written, (each.value, each.low, each.high))
            sides = (side and side[measure] for side in (effect.at_low, effect.at_high))
            beyond = by_chance is not None and largest > by_chance
            rows.append((measure, unit, rank, each.key, *told, *sides, largest, beyond))
    frame = pd.DataFrame(rows, columns=list(_COLUMNS), dtype=object)
    return frame.astype({"rank": "int64", "beyond_chance": "bool"})


def as_written(value: Any) -> str | None:
    """A value of a scenario as one text; a list as YAML writes it in one line."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(str, value))}]"
    return None if value is None else str(value)
