"""Tables kept for the BoF-PSS simulator of the Bank of Finland, as delimited text: rows of text, each with its line.

The files are `participants`, `accounts`, `daily_balances` and `transactions`, each `.csv` or `.txt`. The first line
holds the names of the columns; cells are parted by semicolons, commas or tabs. Exports of that simulator differ from
one installation to the next and their column names are not public in full, so the names below are assumed, and every
one of them can be replaced (`--columns KEY=NAME`).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from cnaps_sim.words.errors import InputError, nearest

_SUFFIXES: Final = (".csv", ".txt")
_DELIMITERS: Final = (";", "\t", ",")


class TableTerms(NamedTuple):
    """A table: the name of its file, and the columns it must and may have, by key."""

    name: str
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    may_be_absent: bool = False


#: The name of each column by its key, if nobody says otherwise.
COLUMN_NAMES: Final[Mapping[str, str]] = {
    "participant": "participant_id",
    "name": "participant_name",
    "account": "account_id",
    "date": "date",
    "balance": "balance",
    "credit": "credit_limit",  # intraday credit, here the overdraft limit (日间透支限额)
    "transaction": "transaction_id",
    "time": "time",
    "from": "from_account",
    "to": "to_account",
    "value": "value",
    "priority": "priority",
}
PARTICIPANTS: Final = TableTerms("participants", ("participant",), ("name",))
ACCOUNTS: Final = TableTerms("accounts", ("account", "participant"), may_be_absent=True)
BALANCES: Final = TableTerms("daily_balances", ("date", "account", "balance"), ("credit",))
TRANSACTIONS: Final = TableTerms("transactions", ("transaction", "date", "time", "from", "to", "value"), ("priority",))


class Row(NamedTuple):
    """One line: where it stands, and its cells by key ("" where the table has no such column)."""

    place: str
    cells: Mapping[str, str]


class Table(NamedTuple):
    """place: where its header stands; decimal_comma: whether amounts may have one; rows: in file order"""

    place: str
    decimal_comma: bool
    rows: Iterator[Row]


def read_table(folder: Path, terms: TableTerms, names: Mapping[str, str], ignored: Sequence[str]) -> Table | None:
    """The rows of a table, read as they are asked for; None if it may be absent and is.

    names: column by key; ignored: columns that are passed over. InputError, with file and line, for a missing or
    unknown column, a line with too many or too few cells, and text that is not UTF-8.
    """
    path = _found(folder, terms)
    if path is None:
        return None
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(str(path), "", "not UTF-8 text", "", "UTF-8") from None
    head = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=head.count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    header = [name.strip() for name in next(lines, [])]
    keys = _keys(f"{path}:1", header, terms, names, ignored)
    return Table(f"{path}:1", delimiter != ",", _rows(path, lines, keys, terms))


def _found(folder: Path, terms: TableTerms) -> Path | None:
    paths = [folder / (terms.name + suffix) for suffix in _SUFFIXES]
    there = [path for path in paths if path.is_file()]
    if len(there) > 1:
        raise InputError(str(there[1]), "", f"stands beside {there[0].name}", "", "one of them")
    if not there and not terms.may_be_absent:
        raise InputError(str(folder), terms.name, "no such table", "", " or ".join(path.name for path in paths))
    return there[0] if there else None


def _keys(
    place: str, header: list[str], terms: TableTerms, names: Mapping[str, str], ignored: Sequence[str]
) -> list[str | None]:
    """The key of each column, None for one that is passed over."""
    wanted = {names[key]: key for key in (*terms.required, *terms.optional)}
    keys: list[str | None] = []
    for column in header:
        if column in ignored:
            keys.append(None)
        elif column not in wanted:
            raise InputError(place, column, "unknown column", "", f"{nearest(column, wanted)}; --columns, --ignore")
        elif wanted[column] in keys:
            raise InputError(place, column, "column given twice")
        else:
            keys.append(wanted[column])
    for key in terms.required:
        if key not in keys:
            raise InputError(place, names[key], "missing column", "", f"--columns {key}=NAME says what it is called")
    return keys


def _rows(path: Path, lines: Any, keys: list[str | None], terms: TableTerms) -> Iterator[Row]:
    nothing = dict.fromkeys((*terms.required, *terms.optional), "")
    for cells in lines:
        place = f"{path}:{lines.line_num}"
        if not cells:
            continue
        if len(cells) != len(keys):
            raise InputError(place, "", f"{len(cells)} cells where the header has {len(keys)}", ",".join(cells))
        told = {key: cell.strip() for key, cell in zip(keys, cells, strict=True) if key is not None}
        yield Row(place, {**nothing, **told})
