"""Verdicts: which rules were checked, how often each was broken, and one sentence per breach.

A check adds what it found to `Findings`; a finished audit is a `Verdict`, which two audits of the same run
(of the stream of outcomes, of the stored tables) can add up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

#: Breaches of one rule that are told in words; the rest are counted only.
SENTENCES_PER_RULE: Final = 20


@dataclass(frozen=True)
class Verdict:
    """What an audit found.

    rules:    every rule that was checked, with the number of its breaches
    breaches: one sentence per breach, at most `SENTENCES_PER_RULE` per rule, each beginning with the rule's name
    """

    rules: dict[str, int] = field(default_factory=dict)
    breaches: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """True when no rule that was checked was broken."""
        return not any(self.rules.values())

    def sentence(self) -> str:
        """The verdict in one line, for a person."""
        broken = {rule: count for rule, count in self.rules.items() if count}
        if not broken:
            return f"audit passed: {len(self.rules)} rules checked, none broken"
        listed = ", ".join(f"{rule} ({count})" for rule, count in broken.items())
        return f"audit failed: {len(broken)} of {len(self.rules)} rules broken: {listed}"

    def __add__(self, other: Verdict) -> Verdict:
        """Both audits as one: counts add up, sentences stay at most `SENTENCES_PER_RULE` per rule."""
        rules = dict(self.rules)
        for rule, count in other.rules.items():
            rules[rule] = rules.get(rule, 0) + count
        told: dict[str, int] = {}
        breaches = []
        for sentence in [*self.breaches, *other.breaches]:
            rule = sentence.partition(":")[0]
            told[rule] = told.get(rule, 0) + 1
            if told[rule] <= SENTENCES_PER_RULE:
                breaches.append(sentence)
        return Verdict(rules, breaches)


class UnknownColumnError(Exception):
    """A check needs a column that the table does not have in a readable form; `columns` has said so already."""


class Findings:
    """The breaches found so far, rule by rule."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._sentences: dict[str, list[str]] = {}

    def made(self, *rules: str) -> None:
        """Say that these rules are checked, so that the verdict lists them even when nothing is wrong."""
        for rule in rules:
            self._counts.setdefault(rule, 0)

    def breach(self, rule: str, sentence: str) -> None:
        """One breach of a rule, told in one sentence."""
        self.breaches(rule, 1, lambda _: sentence)

    def breaches(self, rule: str, count: int, tell: Callable[[int], str]) -> None:
        """`count` breaches of a rule; `tell(k)` words the k-th and is called only for those that are told."""
        self._counts[rule] = self._counts.get(rule, 0) + count
        told = self._sentences.setdefault(rule, [])
        for k in range(min(count, SENTENCES_PER_RULE - len(told))):
            told.append(f"{rule}: {tell(k)}")

    def where(self, rule: str, wrong: NDArray[np.bool_], tell: Callable[[int], str]) -> None:
        """Check a rule row by row: a breach where `wrong` is true; `tell(row)` words it."""
        self.made(rule)
        if wrong.any():
            rows = np.flatnonzero(wrong)
            self.breaches(rule, len(rows), lambda k: tell(int(rows[k])))

    @contextmanager
    def checking(self, *rules: str) -> Iterator[None]:
        """Check these rules; whatever the data make impossible is a breach of the first, never an exception.

        Without a column it needs a rule is not listed as checked: the missing column is the breach.
        """
        try:
            yield
        except UnknownColumnError:
            return
        except Exception as error:  # any nonsense in a table must end as a finding
            self.breach(rules[0], f"cannot be checked, the data make no sense ({one_line(error)})")
        self.made(*rules)

    def verdict(self) -> Verdict:
        """Everything found, rules in the order in which they were first checked."""
        return Verdict(dict(self._counts), [text for rule in self._counts for text in self._sentences.get(rule, [])])


def one_line(value: Any) -> str:
    """A value or an error as short text without line breaks, for a sentence."""
    text = " ".join(str(value).split()) or type(value).__name__
    return text if len(text) <= 120 else text[:117] + "..."
