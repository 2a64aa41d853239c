"""The audit of the stored tables: does what a run wrote agree with itself and with its manifest?

Nothing is taken from the run but the tables and the manifest, so a folder can be audited by anyone at any time.
Whatever is wrong inside a table is a breach, never an exception.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cnaps_sim.audit.columns import Frame, Ints
from cnaps_sim.audit.digest import Hashes, TableDigest, chain, hash_text, table_digest
from cnaps_sim.audit.headroom import check_headroom, check_retail_series
from cnaps_sim.audit.items import check_items
from cnaps_sim.audit.matchings import CAP_QUEUE, check_agreement, check_possible, settled_payments, settled_transfers
from cnaps_sim.audit.move_tables import check_moves
from cnaps_sim.audit.outcomes import (
    check_levels,
    check_outcomes,
    check_released,
    check_returned,
    check_times,
)
from cnaps_sim.audit.pool_tables import PoolsTold, read_pools
from cnaps_sim.audit.postings import (
    Ledger,
    Postings,
    Samples,
    check_accounts,
    check_balances,
    check_match,
    check_series,
    check_transfers,
)
from cnaps_sim.audit.queue_series import check_queue_series
from cnaps_sim.audit.releases import Happened, check_words
from cnaps_sim.audit.retail_manifest import Told, check_told
from cnaps_sim.audit.retail_sums import RETAIL
from cnaps_sim.audit.retail_tables import RetailItems
from cnaps_sim.audit.rounds_table import check_rounds
from cnaps_sim.audit.verdict import Findings, Verdict, one_line
from cnaps_sim.words.tables import TABLES

#: Rows of payments that are looked at together when retail items are among them.
_PART: Final = 1 << 20


def audit_tables(
    tables: Mapping[str, Any],
    manifest: Any,
    ignore_digests: bool = False,
    check_digests: bool = True,
    retail: RetailItems | None = None,
    scenario: Any = None,
) -> Verdict:
    """Re-check the tables of a run against each other and against its manifest.

    tables:         Arrow tables by name; anything else in place of a table (the error met in reading it, say)
                    counts as unreadable. Payments may also be an iterator of tables, the parts of one in their order
    manifest:       `tables` {name: {rows, sha256}} and `items` {system: {count, value_fen, checksum}}
    ignore_digests: the tables were rewritten by another tool: digests are not compared, and columns are cast
                    back to their documented types where nothing is lost
    check_digests:  false spares the comparison where the manifest's digests have just been taken from these tables
    retail:         has seen the retail items (BEPS, IBPS) that the payments given here leave out; their digest is
                    then not compared
    scenario:       the resolved scenario, which tells the fund pools (资金池); None: nobody knows of any
    """
    findings = Findings()
    told = _told_tables(manifest, findings)
    _check_presence(tables, told, findings)
    items = RetailItems(ignore_digests) if retail is None else retail
    elsewhere = items.rows
    frames = {}
    for name, table in tables.items():
        if name in TABLES and (isinstance(table, pa.Table) or _in_parts(name, table)):
            more = elsewhere if name == "payments" else 0
            with_digest = check_digests and not ignore_digests and not more
            with findings.checking("readable"):
                reading = _Reading(name, table, items, findings, ignore_digests, with_digest)
                frames[name] = reading.frame
                _check_rows(name, reading.rows + more, told, findings)
                if reading.digest is not None:
                    _check_digest(name, reading.digest, told, findings)
    _check_order(frames, findings)
    lost = "matchings" not in frames and ("matchings" in told or "matchings" in tables)
    pools = read_pools(scenario, frames.get("accounts"), findings)
    verdict = findings.verdict() + _check_contents(frames, manifest, lost, pools)
    return verdict + _check_retail(frames, items, manifest)


def _in_parts(name: str, table: Any) -> bool:
    return name == "payments" and isinstance(table, Iterator)


class _Reading:
    """A table as it is read.

    rows:   all of them
    frame:  those that are not retail items, which `items` is shown instead
    digest: over all rows; None where none is wanted, or payments are not all here
    """

    def __init__(
        self, name: str, table: Any, items: RetailItems, findings: Findings, lenient: bool, with_digest: bool
    ) -> None:
        self.digest: str | None = None
        if isinstance(table, pa.Table):
            self.rows: int = table.num_rows
            if with_digest:
                with findings.checking("digests"):
                    self.digest = table_digest(table)
            if name != "payments" or not _has_retail(table):
                self.frame = Frame(name, table, findings, lenient)
                return
            parts = iter([table.slice(first, _PART) for first in range(0, table.num_rows, _PART)])
            self.frame = Frame(name, self._split(parts, items, None), Findings(), lenient)
        else:
            self.rows = 0
            digest = TableDigest() if with_digest else None
            self.frame = Frame(name, self._split(self._counted(table), items, digest), Findings(), lenient)
            self.digest = None if digest is None else digest.hexdigest()

    def _counted(self, parts: Iterator[pa.Table]) -> Iterator[pa.Table]:
        for part in parts:
            self.rows += part.num_rows
            yield part

    def _split(self, parts: Iterator[pa.Table], items: RetailItems, digest: TableDigest | None) -> pa.Table:
        """Show the parts to `items`, which judges their columns; what is left is kept."""
        gross: list[pa.Table] = []
        for part in parts:
            items.see_part(part)
            if digest is not None:
                digest.update(part)
            left = part.filter(pc.invert(_is_retail(part))) if _has_retail(part) else part
            if left.num_rows or not gross:
                gross.append(left)
        return pa.concat_tables(gross) if gross else pa.table({})


def _has_retail(table: pa.Table) -> bool:
    """Whether a table of payments holds items of BEPS or IBPS."""
    if table.column_names.count("system") != 1:
        return False
    kind = table.schema.field("system").type
    if not pa.types.is_string(kind) and not pa.types.is_dictionary(kind):
        return False
    return bool(pc.any(_is_retail(table)).as_py())


def _is_retail(table: pa.Table) -> Any:
    return pc.is_in(table.column("system").cast(pa.string()), pa.array(RETAIL, pa.string()))


def _told_tables(manifest: Any, findings: Findings) -> dict[str, dict[str, Any]]:
    """What the manifest says about each table. `manifest`: it names tables with their rows and digests."""
    findings.made("manifest")
    told = manifest.get("tables") if isinstance(manifest, Mapping) else None
    if not isinstance(told, Mapping):
        findings.breach("manifest", "the manifest does not list the tables")
        return {}
    sound = {}
    for name, entry in told.items():
        if isinstance(entry, Mapping) and "rows" in entry and "sha256" in entry:
            sound[str(name)] = dict(entry)
        else:
            findings.breach("manifest", f"the manifest does not give rows and sha256 of table {one_line(name)}")
    return sound


def _check_presence(tables: Mapping[str, Any], told: Mapping[str, Any], findings: Findings) -> None:
    """`readable`: every table that the manifest lists is there and can be read, and no other is."""
    findings.made("readable")
    for name in told:
        if name not in tables:
            findings.breach("readable", f"table {one_line(name)} is missing")
    for name, table in tables.items():
        if name not in TABLES:
            findings.breach("readable", f"table {one_line(name)} is not a documented table")
        elif not isinstance(table, pa.Table) and not _in_parts(name, table):
            findings.breach("readable", f"table {name} cannot be read ({one_line(table)})")
        elif name not in told:
            findings.breach("readable", f"table {name} is not listed in the manifest")


def _check_rows(name: str, rows: int, told: Mapping[str, Any], findings: Findings) -> None:
    """`row-counts`: a table has as many rows as the manifest says."""
    findings.made("row-counts")
    if name in told and told[name]["rows"] != rows:
        findings.breach("row-counts", f"table {name} has {rows} rows, the manifest says {one_line(told[name]['rows'])}")


def _check_digest(name: str, digest: str, told: Mapping[str, Any], findings: Findings) -> None:
    """`digests`: the SHA-256 over a table's values is the one in the manifest."""
    findings.made("digests")
    if name in told and digest != told[name]["sha256"]:
        findings.breach("digests", f"the values of table {name} are not those the run wrote")


def _check_order(frames: Mapping[str, Frame], findings: Findings) -> None:
    """`in-order`: payments stand by date and sequence, no sequence twice; transfers and events are numbered from 0,
    matchings from 1, and none of them goes back in time."""
    if "payments" in frames:
        with findings.checking("in-order"):
            frame = frames["payments"]
            date, sequence = frame.ints("date"), frame.ints("sequence")
            step, later = np.diff(sequence), np.diff(date)
            findings.where(
                "in-order",
                (later < 0) | ((later == 0) & (step <= 0)),
                lambda row: f"payment {sequence[row + 1]} stands after payment {sequence[row]}",
            )
            if not (step > 0).all() and len(np.unique(sequence)) < len(sequence):
                findings.breach("in-order", "a sequence number appears twice among the payments")
    for name, column, first in (("transfers", "sequence", 0), ("events", "sequence", 0), ("matchings", "matching", 1)):
        if name in frames:
            with findings.checking("in-order"):
                _check_numbering(frames[name], column, first, findings)


def _check_numbering(frame: Frame, column: str, first: int, findings: Findings) -> None:
    number, time_ms = frame.ints(column), frame.ints("time_ms")
    wrong = number != np.arange(first, first + frame.rows)
    findings.where("in-order", wrong, lambda row: f"row {row} of {frame.name} bears the number {number[row]}")
    earlier = np.diff(time_ms) < 0
    findings.where("in-order", earlier, lambda row: f"row {row + 1} of {frame.name} is earlier than the one before it")


def _check_contents(frames: Mapping[str, Frame], manifest: Any, matchings_lost: bool, pools: PoolsTold) -> Verdict:
    """Every check of what the rows say: payments and balances side by side, then what ties them together.

    matchings_lost: there were matchings, but their table cannot be read; without a table there were none.
    """
    with ThreadPoolExecutor(2) as threads:
        of_payments = threads.submit(_check_payments, frames.get("payments"), frames.get("events"), manifest)
        of_balances = threads.submit(
            _check_balances, frames.get("accounts"), frames.get("transfers"), frames.get("series")
        )
        payments_verdict, ids, paid = of_payments.result()
        balances_verdict, posted_ids, posted = of_balances.result()
    findings = Findings()
    payments, transfers = frames.get("payments"), frames.get("transfers")
    if not matchings_lost:
        _check_matchings(frames, ids, posted_ids, findings)
    if payments is not None and ids is not None:
        with findings.checking("released-by"):
            numbers = None if matchings_lost else _numbers(frames.get("matchings"))
            check_released(payments, ids, posted_ids, numbers, pools, findings)
        with findings.checking("released-by"):
            happened = Happened(frames.get("events"), frames.get("matchings"), manifest)
            check_words(payments, transfers, happened, pools, findings)
        if "series" in frames:
            with findings.checking("series-replay"):
                check_queue_series(frames["series"], payments, manifest, findings)
    if payments is not None and transfers is not None and paid is not None and posted is not None:
        with findings.checking("transfers-match-payments"):
            check_match(payments, paid, transfers, posted, findings)
    if transfers is not None and posted_ids is not None:
        check_moves(frames, ids, posted_ids, pools, findings)
    return payments_verdict + balances_verdict + findings.verdict()


def _numbers(matchings: Frame | None) -> Ints | None:
    """Of the matchings that took place; None if they cannot be told."""
    if matchings is None:
        return np.zeros(0, np.int64)
    return matchings.ints("matching") if matchings.has("matching") else None


def _check_matchings(
    frames: Mapping[str, Frame], ids: Hashes | None, posted_ids: Hashes | None, findings: Findings
) -> None:
    """The table of matchings by itself, and beside payments and transfers."""
    matchings, payments, transfers = (frames.get(name) for name in ("matchings", "payments", "transfers"))
    if matchings is not None:
        with findings.checking("matchings-possible"):
            check_possible(matchings, findings)
    if matchings is not None and matchings.has("algorithm"):
        matchings = matchings.without("algorithm", CAP_QUEUE)
    with findings.checking("matchings-agree"):
        released = settled_payments(payments, ids) if payments is not None and ids is not None else None
        made = settled_transfers(transfers, posted_ids) if transfers is not None and posted_ids is not None else None
        check_agreement(matchings, released, made, findings)


def _check_retail(frames: Mapping[str, Frame], items: RetailItems, manifest: Any) -> Verdict:
    """Rounds, and the retail items beside rounds, matchings, series and the manifest."""
    findings = Findings()
    names = ("rounds", "matchings", "series", "events", "transfers", "accounts")
    rounds, matchings, series, events, transfers, accounts = (frames.get(name) for name in names)
    if rounds is not None:
        check_rounds(rounds, transfers, events, manifest, findings)
    if items.rows:
        with findings.checking("released-by"):
            items.check_released(rounds, Happened(events, matchings, manifest), manifest)
    told = Told(manifest, items.sums)
    if items.is_sound and (told.is_there or rounds is not None or items.rows):
        check_told(told, items.sums, rounds, series, events, accounts, findings)
    if series is not None:
        whole = items.sums if items.is_sound and items.sums.is_whole(told.items) else None
        if series.has("measure") and series.is_one_of("measure", "position_fen", "headroom_fen").any():
            with findings.checking("positions-replay"):
                check_headroom(series, rounds, transfers, events, accounts, whole, manifest, findings)
        if items.is_sound and items.rows:
            with findings.checking("series-replay"):
                check_retail_series(series, items.sums, findings)
    return findings.verdict() + items.finish(rounds, matchings, manifest)


def _hashes(frame: Frame, findings: Findings) -> tuple[Hashes | None, Hashes | None]:
    """Hash of each row's payment_id; and of payment_id, debtor, creditor and amount. None without these columns."""
    ids = moves = None
    with findings.checking("columns"):
        ids = hash_text(frame.column("payment_id"))
        moves = chain(ids, frame.field("debtor"), frame.field("creditor"), frame.ints("amount_fen"))
    return ids, moves


_Audited = tuple[Verdict, Hashes | None, Hashes | None]


def _check_payments(payments: Frame | None, events: Frame | None, manifest: Any) -> _Audited:
    """What the payments say by themselves; and their hashes."""
    findings = Findings()
    if payments is None:
        return findings.verdict(), None, None
    ids, paid = _hashes(payments, findings)
    with findings.checking("outcomes"):
        check_outcomes(payments, findings)
    with findings.checking("times-ordered"):
        check_times(payments, findings)
    with findings.checking("levels-and-priorities"):
        check_levels(payments, findings)
    with findings.checking("returned-at-close"):
        check_returned(payments, events, findings)
    with findings.checking("items-agree"):
        check_items(payments, paid, manifest, findings)
    return findings.verdict(), ids, paid


def _check_balances(accounts: Frame | None, transfers: Frame | None, series: Frame | None) -> _Audited:
    """What transfers, accounts and series say of balances; and the hashes of the transfers."""
    findings = Findings()
    ids = posted = ledger = None
    if transfers is not None:
        ids, posted = _hashes(transfers, findings)
        with findings.checking("transfers-valid"):
            check_transfers(transfers, findings)
    if accounts is not None:
        with findings.checking("days-chain"):
            ledger = Ledger(accounts, findings)
    if ledger is not None:
        with findings.checking("sums-agree", "money-conserved", "no-overnight-overdraft"):
            check_accounts(ledger, findings)
    if ledger is not None and transfers is not None:
        _replay(ledger, transfers, series, findings)
    return findings.verdict(), ids, posted


def _replay(ledger: Ledger, transfers: Frame, series: Frame | None, findings: Findings) -> None:
    """Post the transfers again and compare."""
    postings = samples = None
    with findings.checking("transfers-valid"):
        postings = Postings(transfers, ledger, findings)
    if postings is None:
        return
    if series is not None:
        with findings.checking("series-replay"):
            samples = Samples(series, postings)
    with findings.checking("balances-replay", "lowest-replay", "sums-agree"):
        check_balances(postings, samples or Samples(None, postings), findings)
    if series is not None and samples is not None:
        with findings.checking("series-replay"):
            check_series(series, samples, ledger, findings)
