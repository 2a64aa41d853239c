"""The report: one self-contained HTML file about a run, with figures, plots and the auditor's verdict.

No script, no reference to anything outside the file; text in the plots stays text, so Chinese shows on any
machine. The same run gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from cnaps_sim.analysis import metrics
from cnaps_sim.analysis.drawing import duration, money, percent, plural
from cnaps_sim.analysis.metrics.columns import NONE, Columns, columns_of, has_table, remembered
from cnaps_sim.analysis.metrics.payments import OUTCOMES, payments_of
from cnaps_sim.analysis.pages import filled
from cnaps_sim.analysis.report.access import access_section, both_ways
from cnaps_sim.analysis.report.asked import MOST_OPEN, asked_rows, setting_rows
from cnaps_sim.analysis.report.drawings import drawn
from cnaps_sim.analysis.report.matching import matching_section
from cnaps_sim.analysis.report.messages import message_section
from cnaps_sim.analysis.report.retail import retail_section, round_section
from cnaps_sim.analysis.report.tool_study import comparison_section
from cnaps_sim.analysis.report.tools import tool_section
from cnaps_sim.words.units import MS_PER_HOUR, format_clock

#: Rows shown of each kind of event, and of missed obligations; the rest is counted.
MOST_ROWS: Final = 12


def write_report(run: Any, path: str | Path) -> None:
    """Write the report of a run as one HTML file."""
    Path(path).write_text(render(run), encoding="utf-8")


def render(run: Any) -> str:
    """The report as HTML text. Parts whose tables the run did not record are left out."""
    view = remembered(run)
    summary = _summary(view)
    asked = asked_rows(run.manifest)
    settings, folded = setting_rows(run.scenario, MOST_OPEN - len(asked))
    return filled(
        "report.html.j2",
        name=str(run.scenario.get("name") or "run"),
        question=run.scenario.get("question"),
        asked=asked,
        settings=settings,
        folded=folded,
        system_names=list(summary["systems"]),
        system_rows=_system_rows(summary["systems"]),
        delay_rows=_delay_rows(summary["systems"]),
        liquidity_rows=_liquidity_rows(view, summary["liquidity"]),
        drawings=drawn(view),
        access=access_section(view),
        both_ways=both_ways(view),
        matching=matching_section(view, summary),
        tools=tool_section(view),
        comparison=comparison_section(view, summary),
        retail=retail_section(view),
        rounds=round_section(view),
        messages=message_section(view),
        longest=_longest_waits(view) if has_table(view, "payments") else [],
        obligations=_obligations(view) if has_table(view, "payments") else None,
        events=_events(view),
        audit=_audit(run.manifest.get("audit")),
        version=_version(run.manifest),
    )


# figures ----------------------------------------------------------------------------------------------------


def _summary(view: Any) -> dict[str, Any]:
    """The figures that the run kept; computed again from its tables where it kept none."""
    kept = view.manifest.get("summary")
    return dict(kept) if kept else metrics.headline(view)


def _version(manifest: Mapping[str, Any]) -> str:
    return str(manifest.get("version", ""))


def _system_rows(systems: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """Rows of the headline table: a name, and for each system number and value."""
    rows: list[tuple[str, list[str]]] = []
    for name in ("submitted", *OUTCOMES, "peak_queue"):
        cells = [(f"{part[name]['count']:,}", money(part[name]["value_fen"])) for part in systems.values()]
        rows.append(("largest queue" if name == "peak_queue" else name, [cell for pair in cells for cell in pair]))
    return rows


def _delay_rows(systems: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """Rows under the headline table: a name, and one cell for each system."""
    return [
        ("delay indicator ρ (0 to 1)", [_ratio(part["delay_rho"]) for part in systems.values()]),
        ("mean delay", [duration(part["mean_delay_ms"]) for part in systems.values()]),
    ]


def _liquidity_rows(view: Any, figures: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = [
        ("opening balances", money(figures["opening_fen"])),
        ("used at the peak", money(figures["peak_used_fen"])),
        ("lower bound: one netting of the day", money(figures["lower_bound_fen"])),
        ("upper bound: everything at once", money(figures["upper_bound_fen"])),
        ("turnover: value settled / liquidity used", _ratio(figures["turnover"])),
    ]
    if has_table(view, "accounts"):
        spread: dict[str, Any] = dict(metrics.concentration(view)[["measure", "value"]].itertuples(index=False))
        rows.append(("Gini coefficient of liquidity used", _ratio(spread["gini"])))
        rows.append(("Herfindahl index of liquidity used", _ratio(spread["herfindahl"])))
    return rows


# tables -----------------------------------------------------------------------------------------------------


def _longest_waits(view: Any) -> list[dict[str, str]]:
    """The ten accounts whose payments waited most, by value x time."""
    area = metrics.queue_value_time(view, by="account")
    area = area[area["value"] > 0]
    top = sorted(zip(area["account"], area["value"], strict=True), key=lambda row: (-row[1], row[0]))[:10]
    if not top:
        return []
    names = [name for name, _ in top]
    waited = metrics.waited(view, by="account", where={"account": names}).set_index(["account", "measure"])["value"]
    owners = _owners(view)
    return [
        {
            "account": name,
            "owner": owners.get(name, ""),
            "value_time": f"{money(fen_ms / MS_PER_HOUR)}·h",
            "payments": f"{waited[name, 'waited_count']:,}",
            "value": money(waited[name, "waited_fen"]),
        }
        for name, fen_ms in top
    ]


def _owners(view: Any) -> dict[str, str]:
    """What each account's participant is called, where that differs from the account."""
    if not has_table(view, "accounts"):
        return {}
    columns = columns_of(view, "accounts", Columns)
    account, name, owner = columns.codes("account"), columns.codes("name"), columns.codes("owner")
    called: dict[str, str] = {}
    for row in range(columns.count):
        code, by_name, by_owner = account.codes[row], name.codes[row], owner.codes[row]
        words = name.labels[by_name] if by_name >= 0 else owner.labels[by_owner] if by_owner >= 0 else ""
        called[account.labels[code]] = words if words != account.labels[code] else ""
    return called


def _obligations(view: Any) -> dict[str, Any] | None:
    """Obligations with a time of their own: how many were met, and the largest that were missed."""
    figures: dict[str, Any] = dict(metrics.due(view)[["measure", "value"]].itertuples(index=False))
    if not figures["due_count"]:
        return None
    payments = payments_of(view)
    limit = payments.numbers("due_ms")
    late = np.flatnonzero((limit != NONE) & ~(payments.settled & (payments.final <= limit)))
    shown = late[np.lexsort((late, -payments.amount[late]))][:MOST_ROWS]
    ids = payments.table.column("payment_id")
    debtor, creditor = payments.codes("debtor"), payments.codes("creditor")
    rows = [
        {
            "id": ids[int(row)].as_py(),
            "debtor": debtor.labels[debtor.codes[row]],
            "creditor": creditor.labels[creditor.codes[row]],
            "value": money(payments.amount[row]),
            "due": format_clock(limit[row]),
            "settled": format_clock(payments.final[row]) if payments.settled[row] else "never",
        }
        for row in shown
    ]
    return {
        "met": f"{figures['met_count']:,} of {plural(int(figures['due_count']), 'obligation')}",
        "share": percent(float(figures["met_share"])),
        "missed": f"{money(figures['missed_fen'])}",
        "rows": rows,
        "more": len(late) - len(shown),
    }


def _events(view: Any) -> dict[str, Any]:
    """Events in order of time, the first of each kind; the rest is counted."""
    if not has_table(view, "events"):
        return {"rows": [], "more": []}
    columns = columns_of(view, "events", Columns)
    time, kind = columns.numbers("time_ms"), columns.codes("kind")
    shown: list[int] = []
    more: list[str] = []
    for code, label in enumerate(kind.labels):
        rows = np.flatnonzero(kind.codes == code).tolist()
        shown += rows[:MOST_ROWS]
        if len(rows) > MOST_ROWS:
            more.append(f"{len(rows) - MOST_ROWS:,} more of kind {label}")
    texts = {name: columns.table.column(name).take(sorted(shown)).to_pylist() for name in ("subject", "detail")}
    rows_shown = [
        {"time": format_clock(time[row]), "kind": kind.labels[kind.codes[row]], "subject": subject, "detail": detail}
        for row, subject, detail in zip(sorted(shown), texts["subject"], texts["detail"], strict=True)
    ]
    return {"rows": rows_shown, "more": more}


def _audit(audit: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not audit:
        return None
    rules = [
        (str(rule), len(found) if isinstance(found, (list, tuple)) else int(found))
        for rule, found in dict(audit.get("rules", {})).items()
    ]
    breaches = [str(sentence) for sentence in audit.get("breaches", ())]
    return {"verdict": str(audit.get("verdict", "")), "rules": rules, "breaches": breaches[:MOST_ROWS]}


def _ratio(value: float | None) -> str:
    return "–" if value is None or value != value else f"{value:,.4f}" if value < 1 else f"{value:,.2f}"
