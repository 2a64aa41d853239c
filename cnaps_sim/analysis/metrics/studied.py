"""Studies: metrics that answer about many runs of one scenario as they do about one run."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

_Metric = TypeVar("_Metric", bound=Callable[..., Any])


def about_studies(metric: _Metric) -> _Metric:
    """The metric, which of a study answers with the mean over replications, `low` and `high` (95 % confidence).

    `by` then names keys that vary (all of them if left out), `run` or `replication`, and `where` columns of
    `study.runs`; what was not measured of each run (such as delay by priority) is an InputError.
    """

    @functools.wraps(metric)
    def answer(run: Any, **choices: Any) -> Any:
        of_study = getattr(run, "metric", None)
        return metric(run, **choices) if of_study is None else of_study(metric.__name__, **choices)

    return cast(_Metric, answer)
