"""What each liquidity tool does: the figures of the comparison that `compare_tools` asks for, as a tidy frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from cnaps_sim.analysis.metrics.columns import Run, Where, as_list
from cnaps_sim.analysis.metrics.tidy import By, ratio, values_column
from cnaps_sim.words.errors import InputError, nearest

#: How the plays without any tool and with all of them are called, in place of the name of a tool.
NONE: Final = "none"
ALL: Final = "all"
#: Sources of money, in the order in which they are told.
SOURCES: Final = ("own", "receipts", "pool", "credit", "offset")
INTEREST: Final = ("overdraft", "pledge", "loan", "penalty")


def compared(run: Run) -> list[tuple[str, Mapping[str, Any]]]:
    """The plays of a comparison by name: `none`, each tool, `all` where there are several; empty if there was none."""
    plays = run.manifest.get("tools") or []
    named = []
    for play in plays:
        tools = play["tools"]
        named.append((NONE if not tools else tools[0] if len(tools) == 1 else ALL, play))
    return named


def tools(run: Run, *, by: By = "tools", where: Where = None) -> pd.DataFrame:
    """What each liquidity tool does: the same day without any, with each alone, and with all of them.

    One group per play, in the column `tools`: none, matching, pools, pledge, overdraft, lending, behaviours, all.
    `opening`, `peak_used` (fen): opening balances, and what was used of them; `submitted`, `settled`, `returned` and
    the same with `_count`: payments of HVPS; `rho`: delay indicator; `pool`, `sweep` (fen): moved by rescues, sweeps;
    `pledge`, `pledge_peak`, `overdraft_peak` (fen): borrowed in all, and the sum over accounts of the largest debt;
    `loan_count`, `loan`, `penalty`: loans among participants and penalty loans; `interest` and its parts
    `interest_overdraft` and so on (fen); `own_share`, `receipts_share`, `pool_share`, `credit_share`, `offset_share`:
    sources of all that was debited (see `sources`); `least_opening`: the least share of the opening balances with
    which payments wait no longer than without any tool (null if even all do not do), and `saved` (fen) the rest of
    them. `where`: `{"tools": name}`. InputError if the run compared none.
    """
    plays = compared(run)
    if not plays:
        raise InputError("run", "tools", "compared no liquidity tools", "", "a run with `compare_tools: true`")
    for name in as_list(by):
        if name != "tools":
            raise InputError("by", name, "cannot be grouped by", "", nearest(name, ["tools"], 1))
    rows = [(name, *measure) for name, play in plays for measure in _measures(play)]
    frame = pd.DataFrame({"tools": pd.Series([row[0] for row in rows], dtype=object)})
    frame["measure"] = [row[1] for row in rows]
    frame["value"] = values_column([row[2] for row in rows])
    frame["unit"] = [row[3] for row in rows]
    return frame[_chosen(frame, where)].reset_index(drop=True)


def _chosen(frame: pd.DataFrame, where: Where) -> Any:
    if where is None:
        return np.ones(len(frame), np.bool_)
    if callable(where):
        return np.asarray(where(frame), np.bool_)
    for key in where:
        if key != "tools":
            raise InputError("where", key, "is no column of the comparison", "", "tools")
    wanted = where.get("tools", [])
    names = list(wanted) if isinstance(wanted, (list, tuple, set, frozenset)) else [wanted]
    return frame["tools"].isin(names).to_numpy()


def _measures(play: Mapping[str, Any]) -> list[tuple[str, Any, str]]:
    """Measure, value and unit of one play."""
    interest, least, opening = play["interest_fen"], play["least_opening"], play["opening_fen"]
    debited = sum(play["sources"].values())
    told: list[tuple[str, Any, str]] = [("opening", opening, "fen"), ("peak_used", play["peak_used_fen"], "fen")]
    for name in ("submitted", "settled", "returned"):
        told += [(f"{name}_count", play[name]["count"], "payments"), (name, play[name]["value_fen"], "fen")]
    told += [
        ("rho", play["delay_rho"], "ratio"),
        ("pool", play["pool_fen"], "fen"),
        ("sweep", play["sweep_fen"], "fen"),
        ("pledge", play["pledge_fen"]["taken"], "fen"),
        ("pledge_peak", play["pledge_fen"]["peak"], "fen"),
        ("overdraft_peak", play["overdraft_peak_fen"], "fen"),
        ("loan_count", play["loans"]["count"], "loans"),
        ("loan", play["loans"]["value_fen"], "fen"),
        ("penalty", play["penalty_fen"], "fen"),
        ("interest", sum(interest.values()), "fen"),
        *((f"interest_{name}", interest[name], "fen") for name in INTEREST),
        *((f"{name}_share", ratio(play["sources"][name], debited), "ratio") for name in SOURCES),
        ("least_opening", least, "ratio"),
        ("saved", None if least is None else opening - round(least * 1000) * opening // 1000, "fen"),
    ]
    return told
