"""Match: two tables in, what one matching settles of the queue out, with the bound, the gap and the doctor's verdict.

    result = match("accounts.csv", "payments.csv", algorithm="exact")
    result.settled, result.bound, result.gap, result.as_dict()

Every algorithm starts from the opening balances with all payments queued: by level, then in the order of the file.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from cnaps_sim.analysis.match_result import Comparison, MatchResult
from cnaps_sim.analysis.queue_input import read_queue
from cnaps_sim.optimise.match import DEFAULT_ALGORITHM, compare_queue, match_queue
from cnaps_sim.words.errors import InputError

if TYPE_CHECKING:
    from cnaps_sim.analysis.queue_input import Source

#: Runs every bundled algorithm.
ALL: Final = "all"
#: Kinds of picture.
PICTURES: Final = (".png", ".svg")


def match(
    accounts: Source,
    payments: Source | None = None,
    algorithm: str = DEFAULT_ALGORITHM,
    time_limit: float | None = None,
    picture: str | Path | None = None,
) -> MatchResult | Comparison:
    """Match one queue.

    accounts, payments: data frames (`balance_fen`, `amount_fen` as int64, or `balance`, `amount` as text or Decimal),
        or the paths of CSV or Parquet files; the name of a bundled pair alone stands for both
    algorithm:  a name, `package.module:function`, or `all` for a `Comparison`
    time_limit: seconds for `exact`; without it, a limit of work that is the same on every machine
    picture:    also draw the queue before and after (of a `Comparison`, what the best one does), a .png or .svg file

    InputError says what in the tables is wrong; TypeError names a column of floating-point numbers.
    """
    if picture is not None:
        _check_picture(picture)
    found = _matched(accounts, payments, algorithm, time_limit)
    if picture is not None:
        from cnaps_sim.analysis.queue_network import save_picture  # drawing packages take a while to load

        save_picture(found.best if isinstance(found, Comparison) else found, picture)
    return found


def _check_picture(path: str | Path) -> None:
    """InputError unless the file is called .png or .svg."""
    if Path(path).suffix.lower() not in PICTURES:
        raise InputError("picture", "", "not a picture file", path, " or ".join(PICTURES))


def _matched(
    accounts: Source, payments: Source | None, algorithm: str, time_limit: float | None
) -> MatchResult | Comparison:
    if algorithm == ALL:
        return compare(accounts, payments, time_limit)
    queue = read_queue(accounts, payments)
    matched = match_queue(queue.table, algorithm, _seconds(time_limit), queue.account_ids)
    return MatchResult(queue, matched)


def compare(accounts: Source, payments: Source | None = None, time_limit: float | None = None) -> Comparison:
    """Every bundled algorithm on one queue; see `match`."""
    queue = read_queue(accounts, payments)
    found = compare_queue(queue.table, _seconds(time_limit), queue.account_ids)
    return Comparison(queue, [MatchResult(queue, matched) for matched in found])


def _seconds(time_limit: float | None) -> float | None:
    if time_limit is not None and not time_limit > 0:
        raise InputError("time_limit", "", "not a number of seconds above 0", time_limit)
    return time_limit
