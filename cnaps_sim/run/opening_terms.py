"""Opening terms: what accounts may not begin with, once it is known what they open with."""

from __future__ import annotations

from collections.abc import Sequence

from cnaps_sim.run.columns import Array
from cnaps_sim.scenario.accounts import AccountsFile
from cnaps_sim.scenario.load import Loaded
from cnaps_sim.words.errors import InputError
from cnaps_sim.words.units import format_fen
from cnaps_sim.workload.account_rows import ACCOUNT_TERMS, AccountRow
from cnaps_sim.workload.sheet import read_sheet


def check_earmarks(loaded: Loaded, rows: Sequence[AccountRow], opening: Array) -> None:
    """No account opens with more earmarked (圈存) than balance − floor + overdraft limit: an order that earmarked so
    much would be refused. InputError with the place of the first that does.

    opening: balances in fen, parallel to `rows`
    """
    for number, (row, balance) in enumerate(zip(rows, opening.tolist(), strict=True)):
        free = balance - row["floor"] + row["overdraft_limit"]
        if row["earmark"] and row["earmark"] > free:
            key = "earmark"
            if isinstance(loaded.scenario.accounts, AccountsFile):
                place = read_sheet(loaded.files["accounts.file"], ACCOUNT_TERMS).place(number)
            else:
                key = f"accounts.{number}.earmark"
                place = loaded.place_of(key)
            raise InputError(
                place, key, "more than balance less floor plus overdraft limit", format_fen(row["earmark"]),
                f"up to {format_fen(max(0, free))}",
            )  # fmt: skip
