"""cnaps-sim: a discrete-event simulator of China's second-generation national payment system (CNAPS 2).

    import cnaps_sim as cs
    run = cs.simulate("gridlock-ring", seed=7)   # a bundled name, a path, a dict or a Scenario
    run.payments, run.accounts, run.series       # pandas DataFrames
    cs.metrics.delay(run, by="priority")         # tidy DataFrame with value and unit
    cs.plots.queue(run)                          # matplotlib Axes
    cs.audit("runs/…"), cs.verify("runs/…")      # a verdict; one sentence per difference
    cs.validate(["a.xml", "b.xml"])              # one verdict per message file
    cs.scenarios(), cs.messages.list()           # what comes with the program

Names are loaded when first used, so that importing the package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_WHERE = {
    "simulate": ("cnaps_sim.analysis.simulate", "simulate"),
    "load": ("cnaps_sim.run.store", "load"),
    "Run": ("cnaps_sim.run.store", "Run"),
    "Scenario": ("cnaps_sim.scenario.model", "Scenario"),
    "match": ("cnaps_sim.analysis.match", "match"),
    "steps": ("cnaps_sim.analysis.steps", "steps"),
    "stress": ("cnaps_sim.analysis.stress", "stress"),
    "sweep": ("cnaps_sim.analysis.study.sweep", "sweep"),
    "Study": ("cnaps_sim.analysis.study.study", "Study"),
    "load_study": ("cnaps_sim.analysis.study.study", "load_study"),
    "fork": ("cnaps_sim.analysis.fork", "fork"),
    "sensitivity": ("cnaps_sim.analysis.sensitivity", "sensitivity"),
    "import_bof": ("cnaps_sim.run.bof", "import_bof"),
    "initial_liquidity_game": ("cnaps_sim.analysis.games", "initial_liquidity_game"),
    "animate": ("cnaps_sim.analysis.animate", "animate"),
    "export": ("cnaps_sim.analysis.files", "export"),
    "report": ("cnaps_sim.analysis.files", "report"),
    "scenarios": ("cnaps_sim.analysis.catalogue", "scenarios"),
    "schema": ("cnaps_sim.analysis.catalogue", "schema"),
    "messages": ("cnaps_sim.messages", None),
    "metrics": ("cnaps_sim.analysis.metrics", None),
    "plots": ("cnaps_sim.analysis.plots", None),
    "compare": ("cnaps_sim.analysis.compare.compare", "compare"),
    "explain": ("cnaps_sim.analysis.explain.story", "explain"),
    "liquidity": ("cnaps_sim.analysis.liquidity.query", "liquidity"),
    "audit": ("cnaps_sim.audit", None),
    "validate": ("cnaps_sim.messages.validate", "validate"),
    "verify": ("cnaps_sim.analysis.simulate", "verify"),
    "InputError": ("cnaps_sim.words.errors", "InputError"),
    "AuditError": ("cnaps_sim.words.errors", "AuditError"),
}

if TYPE_CHECKING:
    from cnaps_sim import messages
    from cnaps_sim.analysis import metrics, plots
    from cnaps_sim.analysis.animate import animate
    from cnaps_sim.analysis.catalogue import scenarios, schema
    from cnaps_sim.analysis.compare.compare import compare
    from cnaps_sim.analysis.explain.story import explain
    from cnaps_sim.analysis.files import export, report
    from cnaps_sim.analysis.fork import fork
    from cnaps_sim.analysis.games import initial_liquidity_game
    from cnaps_sim.analysis.liquidity.query import liquidity
    from cnaps_sim.analysis.match import match
    from cnaps_sim.analysis.sensitivity import sensitivity
    from cnaps_sim.analysis.simulate import audit, simulate, verify
    from cnaps_sim.analysis.steps import steps
    from cnaps_sim.analysis.stress import stress
    from cnaps_sim.analysis.study.study import Study, load_study
    from cnaps_sim.analysis.study.sweep import sweep
    from cnaps_sim.messages.validate import validate
    from cnaps_sim.run.bof import import_bof
    from cnaps_sim.run.store import Run, load
    from cnaps_sim.scenario.model import Scenario
    from cnaps_sim.words.errors import AuditError, InputError

__all__ = [
    "AuditError",
    "InputError",
    "Run",
    "Scenario",
    "Study",
    "__version__",
    "animate",
    "audit",
    "compare",
    "explain",
    "export",
    "fork",
    "import_bof",
    "initial_liquidity_game",
    "liquidity",
    "load",
    "load_study",
    "match",
    "messages",
    "metrics",
    "plots",
    "report",
    "scenarios",
    "schema",
    "sensitivity",
    "simulate",
    "steps",
    "stress",
    "sweep",
    "validate",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'cnaps_sim' has no attribute {name!r}")
    module, attribute = _WHERE[name]
    loaded = importlib.import_module(module)
    return loaded if attribute is None else getattr(loaded, attribute)


def __dir__() -> list[str]:
    return sorted(__all__)
