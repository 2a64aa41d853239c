"""The part of a report on caps that were changed within the run: the hours of each cap, beside all other participants.

It answers what became of the customers of a participant whose cap was cut, with figures.
"""

from __future__ import annotations

from typing import Any, Final

from cnaps_sim.analysis import metrics
from cnaps_sim.analysis.drawing import duration, money, percent, plural
from cnaps_sim.analysis.metrics.cap_changes import OTHERS, OWN
from cnaps_sim.analysis.report.words import account_names, money_or_dash, share_or_dash
from cnaps_sim.words.units import format_clock

#: Participants and hours in the table; the rest is counted.
MOST_CHANGED: Final = 5
MOST_STRETCHES: Final = 6


def cap_change_section(view: Any) -> dict[str, Any] | None:
    """The hours of every cap that was changed; None if none was."""
    frame = metrics.cap_changes(view)
    if frame.empty:
        return None
    tables = {}
    for account, rows in frame.groupby("account", sort=True):
        table: Any = rows.pivot(index=["begin_ms", "whose"], columns="measure", values="value").astype(object)
        tables[str(account)] = table.where(table.notna(), None)
    owns = {account: table.xs(OWN, level="whose") for account, table in tables.items()}
    held_up = {
        account: sum(fen or 0 for part in ("rejected_fen", "queued_fen") for fen in own[part])
        for account, own in owns.items()
    }
    names = account_names(view)
    shown = sorted(tables, key=lambda account: (-held_up[account], account))[:MOST_CHANGED]
    left = len(tables) - len(shown)
    return {
        "accounts": [_account(account, tables[account], names) for account in shown],
        "more": f"The caps of {plural(left, 'more participant')} changed too." if left > 0 else "",
        "counted": any(count is not None for own in owns.values() for count in own["checked_count"]),
    }


def _account(account: str, table: Any, names: dict[str, str]) -> dict[str, Any]:
    begins = table.index.get_level_values("begin_ms").unique().tolist()
    rows = [_row(begin, whose, table.loc[(begin, whose)]) for begin in begins for whose in (OWN, OTHERS)]
    called = names.get(account, "")
    left = len(begins) - MOST_STRETCHES
    return {
        "name": f"{account}, {called}" if called else account,
        "sentences": _answer(called or account, table.xs(OWN, level="whose"), table.xs(OTHERS, level="whose")),
        "rows": rows[: 2 * MOST_STRETCHES],
        "more": f"Its cap changed {plural(left, 'more time')}." if left > 0 else "",
    }


def _row(begin: int, whose: str, row: Any) -> dict[str, str]:
    counted = row["checked_count"] is not None
    return {
        "hours": f"{format_clock(begin)} to {format_clock(row['end_ms'])}" if whose == OWN else "",
        "whose": "this one" if whose == OWN else "all others",
        "cap": money(row["cap"]),
        "lowest": money_or_dash(row["lowest_headroom"]),
        "lowest_share": share_or_dash(row["lowest_share"]),
        "short": share_or_dash(row["short_share"]),
        "checked": f"{row['checked_count']:,}" if counted else "–",
        "rejected": _counted(row, "rejected") if counted else "–",
        "rejected_share": _part(row["rejected_count"], row["checked_count"]) if counted else "–",
        "queued": _counted(row, "queued") if counted else "–",
        "wait": duration(row["mean_wait"]),
        "longest": duration(row["longest_wait"]),
    }


def _counted(row: Any, name: str) -> str:
    count = row[f"{name}_count"]
    return f"{count:,}, {money(row[f'{name}_fen'])}" if count else "0"


def _part(count: int, whole: int) -> str:
    return percent(count / whole) if whole else "–"


def _answer(name: str, own: Any, others: Any) -> list[str]:
    """What the hours of the smallest cap did, against the participant's other hours and against the others."""
    caps = own["cap"].tolist()
    cut = caps.index(min(caps))
    tight, rest = own.iloc[cut], own.drop(index=own.index[cut])
    usual = sorted({int(cap) for cap in rest["cap"]})
    other_caps = " to ".join(dict.fromkeys(money(cap) for cap in (usual[0], usual[-1])))
    hours = f"{format_clock(own.index[cut])} to {format_clock(tight['end_ms'])}"
    sentences = [
        f"From {hours} the net debit cap of {name} was {money(tight['cap'])}, in its other hours {other_caps}; less "
        f"than 10 % of it was left for {share_or_dash(tight['short_share'])} of that time."
    ]
    if tight["checked_count"] is None:
        return [*sentences, "Its items were not recorded, so what was refused in which hours is not known."]
    met, refused, queued = (int(tight[f"{part}_count"]) for part in ("checked", "rejected", "queued"))
    words = f"Of the {plural(met, 'item')} that it was to pay in these hours "
    words += f"{_was(refused)} refused for the cap ({_part(refused, met)}, {money(tight['rejected_fen'])}) and "
    words += f"{queued:,} had to wait in the cap queue ({_part(queued, met)}, {money(tight['queued_fen'])})"
    if tight["longest_wait"] is not None:
        words += f", {duration(tight['mean_wait'])} on average and {duration(tight['longest_wait'])} at most"
    words += f"; {_part(met - refused - queued, met)} were netted at once."
    same = others.iloc[cut]
    return [
        *sentences,
        words,
        f"In its other hours {_few(rest)}; of all other participants, in the same hours, {_few(same.to_frame().T)}.",
    ]


def _few(rows: Any) -> str:
    met, refused, queued = (int(rows[f"{part}_count"].sum()) for part in ("checked", "rejected", "queued"))
    waited = f"{queued:,}" if queued else "none"
    return f"{_was(refused)} refused and {waited} waited of {plural(met, 'item')} ({_part(refused + queued, met)})"


def _was(count: int) -> str:
    return {0: "none was", 1: "1 was"}.get(count, f"{count:,} were")
