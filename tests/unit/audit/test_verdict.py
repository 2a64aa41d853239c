"""Verdicts count, tell and add up."""

from __future__ import annotations

import numpy as np

from cnaps_sim.audit import Verdict
from cnaps_sim.audit.verdict import Findings, UnknownColumnError, one_line


def test_a_verdict_passes_when_no_rule_is_broken() -> None:
    verdict = Verdict({"a": 0, "b": 0})
    assert verdict.passed
    assert verdict.sentence() == "audit passed: 2 rules checked, none broken"


def test_a_broken_rule_fails_the_verdict_and_is_named() -> None:
    verdict = Verdict({"a": 0, "b": 3}, ["b: one"])
    assert not verdict.passed
    assert verdict.sentence() == "audit failed: 1 of 2 rules broken: b (3)"


def test_verdicts_add_up() -> None:
    both = Verdict({"a": 1, "b": 0}, ["a: x"]) + Verdict({"a": 2, "c": 0}, ["a: y", "a: z"])
    assert both.rules == {"a": 3, "b": 0, "c": 0}
    assert both.breaches == ["a: x", "a: y", "a: z"]
    many = Verdict({"a": 20}, ["a: x"] * 20)
    assert len((many + many).breaches) == 20


def test_sentences_are_made_only_for_those_that_are_told() -> None:
    findings = Findings()
    asked: list[int] = []

    def tell(row: int) -> str:
        asked.append(row)
        return f"row {row}"

    findings.where("a", np.arange(100) % 2 == 1, tell)
    verdict = findings.verdict()
    assert verdict.rules == {"a": 50}
    assert asked == list(range(1, 41, 2))
    assert verdict.breaches[0] == "a: row 1"


def test_what_makes_no_sense_is_a_breach_and_a_missing_column_is_no_check() -> None:
    findings = Findings()
    with findings.checking("sense"):
        raise ValueError("broken\nlines")
    with findings.checking("column"):
        raise UnknownColumnError("x")
    verdict = findings.verdict()
    assert verdict.rules == {"sense": 1}
    assert verdict.breaches == ["sense: cannot be checked, the data make no sense (broken lines)"]


def test_long_values_are_cut() -> None:
    assert one_line("x" * 500).endswith("...")
    assert len(one_line("x" * 500)) == 120
