"""Check: re-audit a run folder, or repeat a run and compare."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

import cnaps_sim
from cnaps_sim.audit import Verdict
from cnaps_sim.audit.tables import audit_tables
from cnaps_sim.run.fork import fork_of
from cnaps_sim.run.message_counts import Tally
from cnaps_sim.run.message_log import check_chain
from cnaps_sim.run.runner import Summarise, simulate
from cnaps_sim.run.store import MESSAGES, Run, groups_of, is_large, load, read_table
from cnaps_sim.scenario.load import from_dict
from cnaps_sim.words.errors import InputError

#: What the manifest of a repeated run tells again. Rounds, caps and outcomes are those of retail clearing.
_REPEATED = (
    "seed", "date", "days", "scenario_sha256", "items", "outcomes", "rounds", "caps", "matching", "tools", "summary",
)  # fmt: skip


def audit_folder(folder: str | Path, ignore_digests: bool = False) -> Verdict:
    """Audit the tables of a run folder. A table that cannot be read is a breach; InputError if it is no run folder."""
    run = load(folder)
    tables: dict[str, Any] = {}
    for name in dict.fromkeys([*run.recorded, *_owed_tables(run)]):
        path = Path(folder) / f"{name}.parquet"
        try:
            tables[name] = groups_of(path) if name == "payments" and is_large(path) else read_table(path)
        except InputError as error:
            tables[name] = error  # the auditor counts it as unreadable
    verdict = audit_tables(tables, run.manifest, ignore_digests=ignore_digests, scenario=run.scenario)
    return verdict + _audit_messages(run, Path(folder))


def _audit_messages(run: Run, folder: Path) -> Verdict:
    """`message-log`: where payments travelled as messages, the log is whole and no byte of it has changed."""
    told = run.manifest.get("messages")
    if not isinstance(told, dict) and run.scenario.get("messages", "off") == "off":
        return Verdict()
    wrong = check_chain(folder / MESSAGES, told) if isinstance(told, dict) else ["the manifest does not tell of it"]
    return Verdict({"message-log": len(wrong)}, [f"message-log: {sentence}" for sentence in wrong])


def _owed_tables(run: Run) -> list[str]:
    """The tables that a run of this scenario with these figures has recorded, whatever its manifest lists."""
    record = run.scenario.get("record")
    details = record if isinstance(record, dict) else {}
    detail = details.get("HVPS", "payments")
    systems = [figures for figures in run.summary.get("systems", {}).values() if isinstance(figures, dict)]
    owed = ["events"] + ([] if detail == "totals" else ["accounts", "series"])
    if detail == "payments":
        owed += ["payments"] * any(figures.get("submitted", {}).get("count") for figures in systems)
        owed += ["transfers"] * any(figures.get("settled", {}).get("count") for figures in systems)
    retail = [run.summary.get("systems", {}).get(name) for name in ("BEPS", "IBPS") if details.get(name) == "payments"]
    if "payments" not in owed and any(isinstance(figures, dict) for figures in retail):
        owed.append("payments")
    return owed


def verify_folder(folder: str | Path, summarise: Summarise) -> list[str]:
    """Repeat a run from its resolved scenario and compare; one sentence per difference."""
    first = load(folder)
    log = None
    told = first.manifest.get("messages")
    if not isinstance(told, dict) and first.scenario.get("messages", "off") != "off":
        return ["the manifest does not tell of the message log"]
    loaded = from_dict(first.scenario)
    tally = Tally(loaded.scenario.network.attempts)
    if isinstance(told, dict):
        log = Path(folder) / MESSAGES
        broken = check_chain(log, told, tally.see)
        if broken:
            return broken
    fork = fork_of(first, loaded)
    again = simulate(loaded, summarise, first.manifest.get("replication", 0), replay=log, fork=fork)
    again.forget_unwanted()
    differences = _differences(first, again)
    if isinstance(told, dict):
        differences += _other_counts(told, again, tally)
    if differences and first.manifest.get("version") != cnaps_sim.__version__:
        differences.insert(
            0, f"the run was made by version {first.manifest.get('version')}, repeated by {cnaps_sim.__version__}"
        )
    return differences


def _other_counts(told: dict[str, Any], again: Run, tally: Tally) -> list[str]:
    """Where the manifest counts messages otherwise than their log, or payments that travel than the replay."""
    differences = tally.differences(told)
    repeated = (again.manifest.get("messages") or {}).get("payments")
    if told.get("payments") != repeated:
        differences.append(f"manifest: messages payments {told.get('payments')}, repeated {repeated}")
    return differences


def _differences(first: Run, again: Run) -> list[str]:
    """What a run and its repetition differ in.

    A run with messages is repeated from its log: every message reaches the centre again, at its instant and beside
    the scenario's actions. Banks, which write and read the rest of the messages, take no part, and so the events need
    only be those that the run wrote.
    """
    differences = []
    for key, digest in first.manifest["inputs"].items():
        if again.manifest["inputs"].get(key) != digest:
            differences.append(f"the input file {key} has changed since the run")
    with_messages = isinstance(first.manifest.get("messages"), dict)
    for name in dict.fromkeys([*first.recorded, *again.recorded]):
        if name == "events" and with_messages:
            differences += _damage(name, first)
        else:
            differences += _table_difference(name, first, again)
    for key in _REPEATED:
        told, repeated = first.manifest.get(key), again.manifest.get(key)
        if told != repeated:
            differences.append(f"manifest: {key} {_brief(told)}, repeated {_brief(repeated)}")
    if first.manifest["audit"].get("verdict") != again.manifest["audit"]["verdict"]:
        differences.append(
            f"manifest: audit {_brief(first.manifest['audit'])}, repeated {again.manifest['audit']['verdict']}"
        )
    return differences


def _damage(name: str, first: Run) -> list[str]:
    """Whether one table is the one that the run wrote."""
    from cnaps_sim.audit.digest import table_digest

    told = first.manifest["tables"].get(name)
    if told is None:
        return [f"{name}: not recorded"]
    try:
        if table_digest(first.table(name)) == told["sha256"]:
            return []
    except InputError as error:
        return [f"{name}: {error.problem} ({error.value})"]
    return [f"{name}: the stored table is not the one the run wrote"]


def _brief(value: Any) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= 100 else text[:97] + "..."


def _table_difference(name: str, first: Run, again: Run) -> list[str]:
    """What is different in one table: told, kept, or kept as told."""
    told, repeated = first.manifest["tables"].get(name), again.manifest["tables"].get(name)
    if told is None or repeated is None:
        return [f"{name}: recorded in {'the run' if repeated is None else 'the repetition'} only"]
    try:
        stored = _stored_digest(first, name)
        if told == repeated and stored == told["sha256"]:
            return []
        kept = first.table(name)
    except InputError as error:
        return [f"{name}: {error.problem} ({error.value})"]
    if told == repeated:
        return [f"{name}: the stored table is not the one the run wrote; {_first_row(kept, again.table(name))}"]
    return [f"{name}: repeated with other values; {_first_row(kept, again.table(name))}"]


def _stored_digest(run: Run, name: str) -> str:
    """The digest of a table as it is kept, read part by part."""
    from cnaps_sim.audit.digest import TableDigest

    digest = TableDigest()
    for part in run.batches(name):
        digest.update(part)
    return digest.hexdigest()


def _first_row(kept: pa.Table, repeated: pa.Table) -> str:
    """The first row in which two tables differ, in words."""
    if kept.num_rows != repeated.num_rows:
        return f"{kept.num_rows} rows, repeated {repeated.num_rows}"
    best: tuple[int, str, Any, Any] | None = None
    for column in repeated.column_names:
        if column not in kept.column_names:
            return f"column {column} is missing"
        left, right = kept[column].to_pylist(), repeated[column].to_pylist()
        row = next((at for at, pair in enumerate(zip(left, right, strict=True)) if pair[0] != pair[1]), None)
        if row is not None and (best is None or row < best[0]):
            best = (row, column, left[row], right[row])
    return "" if best is None else f"first in row {best[0]}: {best[1]} {best[2]}, repeated {best[3]}"
