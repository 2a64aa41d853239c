"""The report: self-contained, escaped, the same bytes each time, and complete."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from cnaps_sim.analysis.report.asked import MOST_OPEN
from cnaps_sim.analysis.report.page import render, write_report

_VOID = {"meta", "link", "br", "img", "hr", "input"}


class Page(HTMLParser):
    """Checks that every element is closed, and gathers ids, references and text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.tags: set[str] = set()
        self.text: list[str] = []
        self.references: list[str] = []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in _VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("href", "src", "xlink:href"):
                self.references.append(value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text.append(data)


@pytest.fixture(scope="module")
def html(kept_queueing_day: Any) -> str:
    return render(kept_queueing_day)


def test_the_report_is_well_formed_and_refers_to_nothing_outside(html: str) -> None:
    page = Page(html)
    assert not page.tags & {"script", "link", "img", "iframe", "object"}
    assert "http" not in html
    assert all(reference.startswith("#") for reference in page.references)
    assert {reference[1:] for reference in page.references} <= set(page.ids)
    assert set(re.findall(r"url\(#([^)]*)\)", html)) <= set(page.ids)


def test_no_id_is_used_twice(html: str) -> None:
    ids = Page(html).ids
    assert len(ids) == len(set(ids))


def test_what_users_wrote_is_escaped(html: str) -> None:
    assert "Does &lt;it&gt; wait &amp; why?" in html
    assert "central-bank loan &lt;1.00 CNY&gt;" in html


def test_names_in_plots_are_escaped(hand_made: Any) -> None:
    accounts = [hand_made.account("A", 9, 0, name="<b>A&B</b>"), hand_made.account("B", 0, 0)]
    page = Page(render(hand_made.make_run([hand_made.payment(0, "A", "B", 9, "09:00")], accounts)))
    assert "b" not in page.tags
    assert "<b>A&B</b>" in page.text


def test_the_same_run_gives_the_same_bytes(queueing_day: Any, html: str, tmp_path: Path) -> None:
    write_report(queueing_day, tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == html


def test_chinese_stays_text(html: str) -> None:
    assert "清算排队" in html


def test_the_report_says_what_was_asked(html: str) -> None:
    text = " ".join(Page(html).text)
    for words in ("by hand", "2025-06-17", "0" * 64, "hvps.discipline", "fifo"):
        assert words in text


def test_figures_carry_units(html: str) -> None:
    text = " ".join(Page(html).text)
    for words in ("CNY 845.00", "CNY 315.00", "34.0 min", "delay indicator", "upper bound", "CNY 670.00"):
        assert words in text


def test_the_report_tells_waits_obligations_and_events(html: str) -> None:
    text = " ".join(Page(html).text)
    for words in ("Alpha Bank 甲银行", "1 of 4 obligations", "P3", "T-1 20:30:00", "balance below its warning line"):
        assert words in text


def test_every_plot_has_a_sentence_that_tells_how_to_read_it(html: str) -> None:
    assert html.count("<figure") == html.count("<figcaption>") == 7


def test_the_auditor_has_the_last_word(queueing_day: Any) -> None:
    queueing_day.manifest["audit"] = {
        "verdict": "failed",
        "rules": {"money is conserved": 2, "queues are empty": 0},
        "breaches": ["money is conserved: 3 fen appeared"],
    }
    text = " ".join(Page(render(queueing_day)).text)
    for words in ("failed", "2 breaches", "queues are empty", "kept", "3 fen appeared"):
        assert words in text


def test_many_events_of_a_kind_are_counted(hand_made: Any) -> None:
    events = [{"time_ms": n, "kind": "warning", "subject": "A", "detail": "below"} for n in range(40)]
    run = hand_made.make_run([hand_made.payment(0, "A", "B", 9, "09:00")], (), events)
    assert "28 more of kind warning" in render(run)


def test_the_figures_kept_by_the_run_are_shown(queueing_day: Any) -> None:
    part = {"count": 7, "value_fen": 700}
    names = ("submitted", "settled", "rejected", "returned", "cancelled", "queued", "peak_queue")
    queueing_day.manifest["summary"] = {
        "systems": {"HVPS": {**dict.fromkeys(names, part), "delay_rho": 0.25, "mean_delay_ms": None}},
        "liquidity": {
            "opening_fen": 123_456,
            "peak_used_fen": 0,
            "lower_bound_fen": 0,
            "upper_bound_fen": 0,
            "turnover": None,
        },
    }
    text = " ".join(Page(render(queueing_day)).text)
    assert "CNY 1,234.56" in text
    assert "0.2500" in text
    assert "SAPS" not in text.split("Liquidity")[0]


def test_a_run_that_kept_only_totals_still_has_a_report(queueing_day: Any, html: str) -> None:
    assert html
    from cnaps_sim.analysis.metrics import headline

    queueing_day.manifest["summary"] = headline(queueing_day)
    for name in ("payments", "transfers", "accounts"):
        del queueing_day.manifest["tables"][name]
    found = render(queueing_day)
    assert "CNY 845.00" in found
    assert "<figure" not in found


def test_a_run_without_payments_has_a_report(hand_made: Any) -> None:
    text = " ".join(Page(render(hand_made.make_run([], [hand_made.account("A", 5, 5)]))).text)
    assert "CNY 5.00" in text


def test_settings_that_are_off_are_not_told_and_long_lists_are_counted(toy_day: Any) -> None:
    toy_day.scenario = {
        "name": "toy",
        "hvps": {"matching": {"algorithm": "none", "every": None, "at": []}, "reprioritise": False},
        "accounts": [{"account": name} for name in "ABCDEF"],
        "liquidity": {"share_of_outflow": [0.5, 0.7]},
    }
    text = " ".join(Page(render(toy_day)).text)
    for words in ("hvps.matching.algorithm", "6 given in the scenario", "0.5, 0.7", "hvps.reprioritise no"):
        assert words in re.sub(r"\s+", " ", text)
    assert "matching.every" not in text


def test_few_settings_stand_open_and_the_others_can_be_unfolded(toy_day: Any) -> None:
    source = {"system": "HVPS", "generator": "national", "count": 5, "value": "9.00", "ties": 3, "core_count": 2}
    toy_day.scenario = {
        "workload": [source, {**source, "count": 6}],
        "actions": [{"at": "11:00", "do": "set", "account": "A", "field": "credit_line", "value": 1}],
        "hvps": {f"term_{number:02d}": number for number in range(40)},
    }
    text = render(toy_day)
    open_rows = text[text.index("What was asked") : text.index("<details>")]
    folded = text[text.index("<details>") : text.index("</details>")]
    assert open_rows.count("<tr>") == MOST_OPEN
    assert ">system HVPS, generator national, count 5, value 9.00<" in open_rows
    assert ">at 11:00, do set, account A, field credit_line, value 1<" in open_rows
    assert "workload.1.ties" in folded
    assert "hvps.term_39" in folded
    assert "hvps.term_00" not in folded
