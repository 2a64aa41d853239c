"""Queue matching of a scenario (排队撮合): which algorithm, what starts it, and limits (双边限额, 多边限额).

Source: rule section "liquidity tools". Everything is off unless it is given [P].
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Any, Final, Self

from pydantic import BeforeValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from cnaps_sim.scenario.faults import fault
from cnaps_sim.scenario.moments import ClockTime, Span, Step
from cnaps_sim.scenario.quantities import Money, QueueLength
from cnaps_sim.scenario.terms import AccountId, OneOf, Switch, Terms, listed, shape
from cnaps_sim.words.codes import Phase

#: No matching: queued payments leave one by one.
NO_MATCHING: Final = "none"
#: The algorithm that the books themselves know; the others work on a table of the queue.
MULTILATERAL: Final = "multilateral"

#: The word for all others together, towards which a multilateral limit (多边限额) is.
TOWARDS_ALL: Final = "all"

_FUNCTION = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")
_FUNCTION_FORM: Final = "package.module:function"
_FUNCTION_SCHEMA: Final = {"type": "string", "pattern": r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*$"}
_TRIGGERS: Final = ("every", "at", "queued_over", "value_over", "on_phase", "continuous")
#: What `match` offers but a run does anyway, or cannot do.
_NOT_FOR_RUNS: Final = {
    "fifo": "is what a run does without matching",
    "bypass": "is a discipline of the queue, not a matching",
    "lp": "is a bound and settles nothing",
}


def algorithm_names() -> list[str]:
    """The words a scenario may give: none, and the algorithms that may run inside a day."""
    from cnaps_sim.optimise.registry import names  # takes a while to load, and most scenarios need it not

    return [NO_MATCHING, *names(for_runs=True)]


class _AlgorithmName:
    """An algorithm by name, or a researcher's function, which is looked for when the run starts."""

    @staticmethod
    def read(value: object) -> str:
        if value in (NO_MATCHING, MULTILATERAL) or (isinstance(value, str) and _FUNCTION.fullmatch(value)):
            return str(value)
        if isinstance(value, str) and ":" in value:
            raise fault("not an algorithm", _FUNCTION_FORM)
        known = algorithm_names()
        if not isinstance(value, str) or value not in known:
            problem = _NOT_FOR_RUNS.get(value, "no such algorithm") if isinstance(value, str) else "no such algorithm"
            raise fault(problem, ", ".join([*known, _FUNCTION_FORM]), value=shape(value))
        return value

    def __get_pydantic_core_schema__(self, _source: object, _build: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.read, serialization=core_schema.plain_serializer_function_ser_schema(str)
        )

    def __get_pydantic_json_schema__(self, _schema: CoreSchema, _build: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"enum": algorithm_names()}, _FUNCTION_SCHEMA]}


class Bound(StrEnum):
    """What each matching is measured by."""

    NONE = "none"
    LP = "lp"  # the linear relaxation: no choice of the queued payments settles more


#: Phases on entering which a matching can run.
_PHASES: Final = OneOf.of("phase", (Phase.DAYTIME, Phase.CUT_OFF, Phase.CLEARING_WINDOW))


def _each_once(values: tuple[Any, ...], key: str) -> None:
    for place, value in enumerate(values):
        if value in values[:place]:
            raise fault("given twice", "each once", path=(key, place))


class MatchingTerms(Terms):
    """Queue matching (排队撮合) over levels 6 and 7: the algorithm, and what starts it.

    Durations and times of day are int ms, money is int fen. Where an algorithm is given, a last matching always runs
    when the clearing window closes.
    """

    algorithm: Annotated[str, _AlgorithmName()] = Field(
        default=NO_MATCHING, description="none, the name of an algorithm, or package.module:function"
    )
    every: Step | None = Field(
        default=None, description="time between matchings in daytime, from the opening on; no public source"
    )
    at: Annotated[tuple[ClockTime, ...], listed] = Field(default=(), description="times of day, on every date")
    queued_over: QueueLength | None = Field(
        default=None, description="a matching whenever more HVPS payments than this come to be queued; no public source"
    )
    value_over: Money | None = Field(
        default=None, description="CNY; a matching whenever more than this comes to be queued; no public source"
    )
    on_phase: Annotated[tuple[Annotated[Phase, _PHASES], ...], listed] = Field(
        default=(), description="on entering daytime, cut_off or clearing_window"
    )
    continuous: Switch = Field(default=False, description="whenever something has happened and payments are queued")
    duration: Span = Field(
        default=0, description="time from choosing payments to posting them; their funds are kept meanwhile"
    )
    bound: Annotated[Bound, OneOf.of("bound", Bound)] = Field(
        default=Bound.NONE, description="lp: record the bound of the linear relaxation with each matching"
    )
    saving: Switch = Field(
        default=False, description="whether to find how much less liquidity would do with it for the same delay"
    )

    @property
    def is_on(self) -> bool:
        """Is there an algorithm?"""
        return self.algorithm != NO_MATCHING

    @model_validator(mode="after")
    def _needs_an_algorithm(self) -> Self:
        _each_once(self.at, "at")
        _each_once(self.on_phase, "on_phase")
        for key in _TRIGGERS if not self.is_on else ():
            given = getattr(self, key)
            if given is not None and given is not False and given != ():
                raise fault("starts a matching, but the algorithm is none", "an algorithm beside it", path=(key,))
        return self


def _counterparty(value: object) -> object:
    return None if value == TOWARDS_ALL else value


#: The account that a limit is towards; None, written `all` or left out, are all others together.
Counterparty = Annotated[AccountId | None, BeforeValidator(_counterparty)]


class LimitRow(Terms):
    """A limit: what one account may have sent another (双边限额), or all others together (多边限额), net of what it
    received from them, at levels 6 and 7.

    The limit is int fen and holds for each business date afresh.
    """

    account: AccountId = Field(description="the account that limits itself")
    to: Counterparty = Field(default=None, description="the account it pays; all, or left out: all others together")
    limit: Money = Field(description="CNY it may send more than it receives in a day")

    @model_validator(mode="after")
    def _two_accounts(self) -> Self:
        if self.account == self.to:
            raise fault("is the account itself", "another account", path=("to",))
        return self


class ReservationRow(Terms):
    """What an account keeps for its own important payments; instead of the columns of the same names.

    Money is int fen.
    """

    account: AccountId = Field(description="the account that keeps it")
    high: Money = Field(default=0, description="CNY kept for levels 0 and 1 (HPAR)")
    urgent: Money = Field(default=0, description="CNY kept for levels 0 to 6 (UPAR)")
