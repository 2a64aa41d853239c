"""Releases of retail items: did what `released_by` names happen at the instant at which the item was netted?

Seen part by part: kept are only releases, and the items that were released themselves.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cnaps_sim.audit.columns import Frame, Ints
from cnaps_sim.audit.digest import NULL, Hashes, chain, hash_text
from cnaps_sim.audit.outcomes import matchings_named
from cnaps_sim.audit.releases import RELEASED, Happened
from cnaps_sim.audit.verdict import Findings
from cnaps_sim.words.codes import Cause
from cnaps_sim.words.retail import RetailKind
from cnaps_sim.words.units import format_clock

_WORDS: Final = frozenset(cause.word for cause in Cause if cause.word is not None)
_LIMIT, _ROUND = str(Cause.LIMIT.word), str(Cause.ROUND.word)
_CHECKED_AT_ONCE: Final = tuple(kind.code for kind in RetailKind if not kind.has_reply)


class RetailReleases:
    """Sees the retail rows of the table of payments in parts, in their order; then `finish`.

    An item is released by one that comes after it, or that waited itself; so parts need no second look.
    """

    def __init__(self) -> None:
        self._wanted: dict[int, tuple[str, int]] = {}  # by hash of name, instant and account: name and instant
        self._open: dict[str, set[int]] = {}
        self._offered: list[Hashes] = []
        self._contradicted: set[str] = set()
        self._words: set[tuple[str, str, int]] = set()

    def see(self, frame: Frame, findings: Findings) -> None:
        """`released-by`: an item that is checked when it is sent and netted later names what released it."""
        codes = frame.texts("released_by")[0]
        netted_ms = frame.ints("netted_ms")
        late = (netted_ms != NULL) & (netted_ms > frame.ints("submitted_ms"))
        findings.where(
            RELEASED,
            (codes < 0) & late & frame.is_one_of("type", *_CHECKED_AT_ONCE),
            lambda row: f"retail payment {frame.text('payment_id', row)} waited but does not name what released it",
        )
        rows = np.flatnonzero((codes >= 0) & (netted_ms != NULL))
        if len(rows):
            self._take(frame, rows, matchings_named(frame))
        if self._open:
            self._look(frame, netted_ms)

    def _take(self, frame: Frame, rows: Ints, matching: Ints) -> None:
        """Note what released these rows, and that they may have released others."""
        codes, texts = frame.texts("released_by")
        debtors, names = frame.texts("debtor")
        netted_ms = frame.ints("netted_ms")
        is_word = np.array([text in _WORDS for text in texts])
        by_word = rows[is_word[codes[rows]]]
        for code, account, time_ms in {
            *zip(codes[by_word], debtors[by_word], netted_ms[by_word].tolist(), strict=True)
        }:
            self._words.add((texts[code], names[account], time_ms))
        named = rows[~is_word[codes[rows]] & (matching[codes[rows]] == 0)]
        if len(named):
            ids = hash_text(pa.array([texts[code] for code in codes[named]], pa.string()))
            keys = chain(ids, netted_ms[named], _at(frame, "debtor", named))
            for key, code, time_ms in {*zip(keys.tolist(), codes[named], netted_ms[named].tolist(), strict=True)}:
                if key not in self._wanted:
                    self._wanted[key] = texts[code], time_ms
                    self._open.setdefault(texts[code], set()).add(key)
        self._offered.append(self._offers(frame, rows))

    def _offers(self, frame: Frame, rows: Ints) -> Hashes:
        ids = hash_text(frame.column("payment_id").take(pa.array(rows)))
        return chain(ids, frame.ints("netted_ms")[rows], _at(frame, "creditor", rows))

    def _look(self, frame: Frame, netted_ms: Ints) -> None:
        """Look for the items that are named among those of this part."""
        ids = frame.column("payment_id")
        there = pc.is_in(ids, pa.array(list(self._open), pa.string())).to_numpy()
        rows = np.flatnonzero(there & (netted_ms != NULL))
        for key, name in zip(self._offers(frame, rows).tolist(), ids.take(pa.array(rows)).to_pylist(), strict=True):
            self._open.get(name, set()).discard(key)
            if self._open.get(name):
                self._contradicted.add(name)

    def finish(self, rounds: Frame | None, happened: Happened, is_whole: bool, findings: Findings) -> None:
        """`released-by`: an item names one that was netted at that very instant and credited its payer, the posting of
        a round net of its payer (`round`), or a change of its payer's cap (`limit`).

        is_whole: whether the items of both systems are recorded, so that an unknown name is that of none
        """
        findings.made(RELEASED)
        offered = set(np.concatenate(self._offered).tolist()) if self._offered else set()
        for name, keys in self._open.items():
            for key in sorted(keys - offered):
                if is_whole or name in self._contradicted:
                    time_ms = self._wanted[key][1]
                    findings.breach(
                        RELEASED,
                        f"a retail payment netted at {format_clock(time_ms)} names {name} as what released it, which "
                        "did not credit its payer at that instant",
                    )
        posted = set() if rounds is None else _posted(rounds)
        for word, account, time_ms in sorted(self._words):
            happens = word == _ROUND and (account, time_ms) in posted
            if word == _LIMIT:
                happens = happened.cap(account, time_ms)
            if not happens:
                findings.breach(
                    RELEASED,
                    f"retail payments of {account} were released by {word} at {format_clock(time_ms)}, of which "
                    "nothing is told",
                )


def _at(frame: Frame, column: str, rows: Ints) -> Hashes:
    words, codes = frame.field(column)
    return words[codes[rows]]


def _posted(rounds: Frame) -> set[tuple[str, int]]:
    codes, names = rounds.texts("participant")
    return {(names[k], time_ms) for k, time_ms in zip(codes, rounds.ints("settled_ms").tolist(), strict=True)}
