"""A researcher's own policy (自定义策略): a Python class named by its import path, `package.module:Class`.

    class Patient:
        every = "30 min"                     # decision points: every, at (times of day), on_receipt (True)
        def __init__(self, most): ...        # the scenario's `parameters`
        def decide(self, view):              # see `View`
            return [0, 2]                    # places in view.outbox, sent in this order

Each bank that follows it has an instance of its own, which lives through the whole run. Whatever the class raises
becomes one InputError that names it and the line of its own file.
"""

from __future__ import annotations

import operator
import os
import re
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, Final

from cnaps_sim.optimise.registry import module_named
from cnaps_sim.participants.behaviours.plan import Plan, Policy, held
from cnaps_sim.participants.behaviours.view import View
from cnaps_sim.words.errors import InputError, nearest
from cnaps_sim.words.timetable import BusinessDay
from cnaps_sim.words.units import parse_clock, parse_duration

PATH_FORM: Final = "package.module:Class"
PATH: Final = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")
_INT = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"-?[0-9]+\.[0-9]+([eE][-+]?[0-9]{1,3})?")
_WORDS: Final = {"true": True, "false": False}


@dataclass(frozen=True)
class DecisionPoints:
    """When a policy is asked. every_ms: from each opening on, 0 for never; at_ms: ms since midnight of the date."""

    every_ms: int
    at_ms: tuple[int, ...]
    on_receipt: bool


class Custom(Policy):
    """A policy of a researcher's own, one instance per bank: it decides what is sent at its decision points.

    path:       `package.module:Class`
    parameters: what its constructor is given by name
    until:      when the bank gives up waiting, see `policies`
    place, key: where the scenario names it, for errors
    """

    name: ClassVar[str] = PATH_FORM
    chinese: ClassVar[str] = "自定义策略"
    reference: ClassVar[str] = "its author's"

    def __init__(self, path: str, parameters: Mapping[str, Any], until: int | None, place: str, key: str) -> None:
        self.path = path
        self.until = until
        self._place = place
        self._key = key
        module_name, _, class_name = path.partition(":")
        self._module = self._imported(module_name)
        made = getattr(self._module, class_name, None)
        if not isinstance(made, type):
            names = [word for word, value in vars(self._module).items() if isinstance(value, type)]
            problem = f"the module {module_name} has no class {class_name}"
            raise self._refuse(problem, path, nearest(class_name, names) or PATH_FORM)
        self._own: Any = self._call("__init__", lambda: made(**read_parameters(parameters)))
        if not callable(getattr(self._own, "decide", None)):
            raise self._refuse("has no method decide(self, view)", path, "a class that decides")
        self.points = self._read_points()

    def plan(self, day: BusinessDay, opening: int) -> Plan:  # noqa: ARG002
        """Nothing is sent but by its decisions."""
        return held(day, self.until)

    def decide(self, view: View) -> list[int]:
        """Places in `view.outbox` to send, in order, each once. InputError for whatever else it answers or raises."""
        answer = self._call("decide", lambda: [operator.index(place) for place in self._own.decide(view)])
        for number, place in enumerate(answer):
            if not 0 <= place < len(view.outbox):
                allowed = f"places from 0 to below {len(view.outbox)}"
                raise self._refuse(f"{self.path} sends a payment that is not in its outbox", place, allowed)
            if place in answer[:number]:
                raise self._refuse(f"{self.path} sends a payment twice", place, "each place once")
        return list(answer)

    def _imported(self, name: str) -> ModuleType:
        try:
            return module_named(name)
        except Exception as error:
            problem = f"the module {name} cannot be imported, {type(error).__name__}: {error}"
            raise self._refuse(problem, self.path, "a module that Python finds") from error

    def _read_points(self) -> DecisionPoints:
        every, at = getattr(self._own, "every", None), getattr(self._own, "at", None) or ()
        on_receipt = bool(getattr(self._own, "on_receipt", False))
        if isinstance(at, str) or not isinstance(at, Iterable):
            raise self._refuse(f"{self.path} has decision points that are no list, at", at, "at: times such as [12:00]")
        at_ms = tuple(sorted({self._read_point("at", parse_clock, clock) for clock in at}))
        every_ms = 0 if every is None else self._read_point("every", parse_duration, every)
        if not (at_ms or every_ms or on_receipt):
            raise self._refuse(f"{self.path} has no decision points", "", "at, every or on_receipt of the class")
        return DecisionPoints(every_ms, at_ms, on_receipt)

    def _read_point(self, name: str, read: Callable[[str], int], told: object) -> int:
        try:
            return read(str(told))
        except ValueError as error:
            problem = f"{self.path} has a decision point that is none, {name}: {error}"
            raise self._refuse(problem, told, "at: times such as [12:00]; every: 30 min") from None

    def _call(self, method: str, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except (Exception, SystemExit) as error:
            problem = f"{self.path} failed in {method}{self._line_of(error)}"
            raise self._refuse(problem, f"{type(error).__name__}: {error}") from error

    def _line_of(self, error: BaseException) -> str:
        """The deepest line of the class's own file on the way to an exception."""
        own = getattr(self._module, "__file__", None)
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == own]
        if own is None or not frames:
            return ""
        return f" at {_short(own)}:{frames[-1].lineno}"

    def _refuse(self, problem: str, value: object = "", allowed: str = "") -> InputError:
        return InputError(self._place, self._key, problem, value, allowed)


def read_parameters(given: Any) -> Any:
    """Parameters as a constructor wants them: text of whole numbers, of decimals and of true and false becomes these.

    A decimal becomes a float, because parameters are no money of the books; all other text stays text.
    """
    if isinstance(given, Mapping):
        return {key: read_parameters(value) for key, value in given.items()}
    if isinstance(given, list | tuple):
        return [read_parameters(value) for value in given]
    if not isinstance(given, str):
        return given
    if _INT.fullmatch(given):
        return int(given)
    return float(given) if _DECIMAL.fullmatch(given) else _WORDS.get(given, given)


def _short(file: str) -> str:
    """A file as seen from the working folder, if it lies in it."""
    path = Path(file)
    here = Path(os.getcwd())
    return str(path.relative_to(here)) if path.is_relative_to(here) else path.name
