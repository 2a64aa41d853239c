"""What a matching of one queue settles: its result, and every bundled algorithm side by side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cnaps_sim.analysis.queue_input import QueueInput
from cnaps_sim.optimise.doctor_words import sentences
from cnaps_sim.optimise.match import Matched

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class MatchResult:
    """What one algorithm settles of a queue; the attributes are the fields of `match --json`."""

    queue: QueueInput
    matched: Matched

    @property
    def algorithm(self) -> str:
        """The name it was asked for by."""
        return self.matched.algorithm.name

    @property
    def settled(self) -> list[str]:
        """Ids of the settled payments in queue order."""
        return [self.queue.payment_ids[row] for row in np.flatnonzero(self.matched.chosen).tolist()]

    @property
    def settled_value_fen(self) -> int:
        """Value settled, fen."""
        return self.matched.value

    @property
    def settled_count(self) -> int:
        """Number of payments settled."""
        return int(self.matched.chosen.sum())

    @property
    def closing_fen(self) -> dict[str, int]:
        """Balance of every account after the matching, fen."""
        table = self.queue.table
        moved = table.closing(self.matched.chosen) - table.available
        return {
            account["account"]: account["balance"] + int(fen)
            for account, fen in zip(self.queue.accounts, moved, strict=True)
        }

    @property
    def lp_bound_fen(self) -> int:
        """Whole fen that no matching, in whatever order, can exceed."""
        return self.matched.bound

    @property
    def bound(self) -> int:
        """The same as `lp_bound_fen`."""
        return self.matched.bound

    @property
    def gap(self) -> float:
        """1 - settled / bound; 0 if the bound is 0."""
        return self.matched.gap

    @property
    def optimal(self) -> bool:
        """Is it proven that no choice settles more?"""
        return self.matched.value == self.matched.proven

    @property
    def diagnosis(self) -> str:
        """What strict one-by-one release leaves: clear, gridlock or deadlock, keeping the sequence."""
        return self.queue.diagnosis.diagnosis.value

    @property
    def diagnosis_free(self) -> str:
        """The same without the sequence constraint; undecided if the search stopped at its limit."""
        return self.queue.diagnosis.diagnosis_free.value

    @property
    def injection_fen(self) -> dict[str, int]:
        """The least new money by account with which the whole queue settles, fen."""
        return dict(zip(self.queue.account_ids, map(int, self.queue.diagnosis.injection), strict=True))

    @property
    def seconds(self) -> float:
        """How long the algorithm took."""
        return self.matched.seconds

    @property
    def left_out(self) -> list[tuple[str, str]]:
        """Payments that cannot stand in the queue, and why."""
        return self.queue.left_out

    @property
    def sentences(self) -> list[str]:
        """The doctor's verdict in words."""
        best = self.matched.value if self.optimal else None
        return sentences(
            self.queue.table, self.queue.diagnosis, self.queue.account_ids, self.queue.payment_ids, best
        )  # fmt: skip

    @property
    def payments(self) -> pd.DataFrame:
        """The queue in its order: payment_id, debtor, creditor, amount_fen, level, settled."""
        import pandas as pd

        table, names = self.queue.table, np.array(self.queue.account_ids, dtype=object)
        columns = {
            "payment_id": self.queue.payment_ids,
            "debtor": names[table.debtor],
            "creditor": names[table.creditor],
            "amount_fen": table.amount,
            "level": table.level,
            "settled": self.matched.chosen,
        }
        return pd.DataFrame(columns)

    @property
    def accounts(self) -> pd.DataFrame:
        """The accounts: account, balance_fen, available_fen, closing_fen, injection_fen."""
        import pandas as pd

        columns = {
            "account": self.queue.account_ids,
            "balance_fen": [account["balance"] for account in self.queue.accounts],
            "available_fen": self.queue.table.available,
            "closing_fen": list(self.closing_fen.values()),
            "injection_fen": self.queue.diagnosis.injection,
        }
        return pd.DataFrame(columns)

    def as_dict(self) -> dict[str, Any]:
        """The object that `match --json` prints."""
        return {
            "algorithm": self.algorithm,
            "settled": self.settled,
            "settled_value_fen": self.settled_value_fen,
            "settled_count": self.settled_count,
            "closing_fen": self.closing_fen,
            "lp_bound_fen": self.lp_bound_fen,
            "gap": self.gap,
            "diagnosis": self.diagnosis,
            "diagnosis_free": self.diagnosis_free,
            "injection_fen": self.injection_fen,
            "seconds": self.seconds,
        }


@dataclass(frozen=True, eq=False)
class Comparison:
    """Every bundled algorithm on one queue, in documented order."""

    queue: QueueInput
    results: list[MatchResult]

    def __iter__(self) -> Iterator[MatchResult]:
        return iter(self.results)

    def __getitem__(self, algorithm: str) -> MatchResult:
        return next(result for result in self.results if result.algorithm == algorithm)

    @property
    def table(self) -> pd.DataFrame:
        """One row per algorithm: algorithm, settled_count, settled_value_fen, lp_bound_fen, gap, seconds."""
        import pandas as pd

        keys = ("algorithm", "settled_count", "settled_value_fen", "lp_bound_fen", "gap", "seconds")
        return pd.DataFrame([{key: getattr(result, key) for key in keys} for result in self.results])

    @property
    def best(self) -> MatchResult:
        """The result with the most value; of equal ones the first."""
        return max(self.results, key=lambda result: result.settled_value_fen)

    @property
    def sentences(self) -> list[str]:
        """The doctor's verdict in words; it measures the cost of order by the optimum if one of them proves it."""
        return next((result for result in self.results if result.optimal), self.results[0]).sentences

    def as_dict(self) -> dict[str, Any]:
        """The object that `match --algorithm all --json` prints."""
        return {"results": [result.as_dict() for result in self.results]}
