"""Run folders: the same seed gives the same digests, nothing half-written stays, damage is found."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import cnaps_sim as cs
from cnaps_sim.analysis.metrics import headline
from cnaps_sim.run.check import audit_folder, verify_folder
from cnaps_sim.run.store import default_folder, new_folder
from cnaps_sim.words.tables import TABLES

#: Digests that only a change of results may change; then the changelog says so under "Results changed".
GOLDEN = json.loads((Path(__file__).parent / "golden.json").read_text(encoding="utf-8"))


def digests(run: cs.Run) -> dict[str, str]:
    return {name: table["sha256"] for name, table in run.manifest["tables"].items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("runs") / "quick"
    cs.simulate("quickstart", out=place)
    return place


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_two_small_scenarios_keep_their_golden_digests(name: str) -> None:
    assert digests(cs.simulate(name)) == GOLDEN[name]


def test_a_folder_is_audited_and_verified_from_python_as_by_the_commands(folder: Path, tmp_path: Path) -> None:
    assert cs.audit(folder) == cs.audit(cs.load(folder)) == audit_folder(folder)
    assert cs.audit.Verdict is type(cs.audit(folder, ignore_digests=True))
    assert cs.verify(str(folder)) == cs.verify(cs.load(folder)) == []
    with pytest.raises(cs.InputError, match="is not a run folder"):
        cs.verify(tmp_path)
    with pytest.raises(cs.InputError, match="run: has no folder"):
        cs.audit(cs.simulate("quickstart"))


def test_the_same_seed_gives_the_same_digests_and_another_seed_others() -> None:
    small = {
        "extends": "stricken-bank",
        "workload": [{"system": "HVPS", "generator": "national", "count": 3000, "value": 10**11}],
    }
    first, again, other = (digests(cs.simulate(small, seed=seed)) for seed in (5, 5, 6))
    assert first == again
    assert first["payments"] != other["payments"]


def test_results_do_not_depend_on_the_number_of_cores() -> None:
    program = "import cnaps_sim as cs; print(cs.simulate('quickstart').manifest['tables'])"
    seen = set()
    for threads in ("1", "2"):
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": threads,
            "NUMBA_NUM_THREADS": threads,
            "ARROW_IO_THREADS": threads,
        }
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
        )
        seen.add(done.stdout)
    assert len(seen) == 1


def test_tables_have_exactly_the_documented_columns(folder: Path) -> None:
    run = cs.load(folder)
    for name, columns in TABLES.items():
        assert run.table(name).column_names == [column.name for column in columns]


def test_a_loaded_run_is_the_run_that_was_written(folder: Path) -> None:
    fresh, loaded = cs.simulate("quickstart"), cs.load(folder)
    assert fresh.payments.equals(loaded.payments)
    assert fresh.summary == loaded.summary
    assert fresh.manifest["tables"] == loaded.manifest["tables"]


def test_outcomes_add_up_in_count_and_value(folder: Path) -> None:
    for system in cs.load(folder).summary["systems"].values():
        for unit in ("count", "value_fen"):
            parts = (system[name][unit] for name in ("settled", "rejected", "returned", "cancelled", "queued"))
            assert system["submitted"][unit] == sum(parts)


def test_frames_hold_text_and_whole_numbers(folder: Path) -> None:
    payments = cs.load(folder).payments
    assert payments.amount_fen.dtype == "int64"
    assert str(payments.settled_ms.dtype) == "Int64"
    assert payments.debtor.map(type).eq(str).all()


@pytest.mark.parametrize("record", ["accounts", "totals"])
def test_less_detail_keeps_the_summary(record: str, tmp_path: Path) -> None:
    full = cs.simulate("quickstart")
    cs.simulate("quickstart", set={"record": {"HVPS": record}}, out=tmp_path / "less")
    assert (tmp_path / "less" / "report.html").is_file()
    assert audit_folder(tmp_path / "less").passed
    less = cs.load(tmp_path / "less")
    assert less.summary == full.summary
    assert less.manifest["items"] == full.manifest["items"]
    assert "payments" not in less.recorded
    assert ("accounts" in less.recorded) == (record == "accounts")


def test_a_run_verifies_and_a_changed_value_does_not(folder: Path, tmp_path: Path) -> None:
    assert verify_folder(folder, headline) == []
    damaged = tmp_path / "damaged"
    cs.simulate("quickstart", out=damaged)
    table = pq.read_table(damaged / "payments.parquet")
    amounts = table["amount_fen"].to_numpy().copy()
    amounts[3] += 1
    place = table.schema.get_field_index("amount_fen")
    pq.write_table(
        table.set_column(place, table.schema.field(place), pa.chunked_array([amounts])), damaged / "payments.parquet"
    )
    found = verify_folder(damaged, headline)
    assert len(found) == 1
    assert found[0].startswith("payments: the stored table is not the one the run wrote; first in row 3: amount_fen")
    assert not audit_folder(damaged).passed


def test_a_table_that_cannot_be_read_is_a_breach(tmp_path: Path) -> None:
    place = tmp_path / "run"
    cs.simulate("quickstart", out=place)
    (place / "transfers.parquet").write_bytes(b"no parquet")
    verdict = audit_folder(place)
    assert verdict.rules["readable"] == 1
    (place / "accounts.parquet").unlink()
    assert audit_folder(place).rules["readable"] == 2


def test_tables_rewritten_by_pandas_pass_without_digests(tmp_path: Path) -> None:
    place = tmp_path / "run"
    run = cs.simulate("quickstart", out=place)
    for name in run.recorded:
        run.frame(name).to_parquet(place / f"{name}.parquet")
    assert not audit_folder(place).passed
    verdict = audit_folder(place, ignore_digests=True)
    assert verdict.passed, verdict.breaches


def test_an_edited_manifest_is_found(tmp_path: Path) -> None:
    place = tmp_path / "run"
    cs.simulate("quickstart", out=place)
    manifest = json.loads((place / "manifest.json").read_text(encoding="utf-8"))
    manifest["summary"]["systems"]["HVPS"]["settled"]["count"] = 999
    (place / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert [line[:17] for line in verify_folder(place, headline)] == ["manifest: summary"]
    del manifest["tables"]["transfers"]
    (place / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert not audit_folder(place).passed


def test_a_damaged_folder_is_said_in_one_line(tmp_path: Path) -> None:
    place = tmp_path / "run"
    cs.simulate("quickstart", out=place)
    (place / "payments.parquet").write_bytes(b"no parquet")
    with pytest.raises(cs.InputError, match="cannot be read"):
        cs.explain(cs.load(place), "P01")
    pq.write_table(pa.table({"payment_id": ["P01"]}), place / "payments.parquet")
    with pytest.raises(cs.InputError, match="other columns"):
        cs.explain(cs.load(place), "P01")
    (place / "scenario.resolved.json").write_text("[]")
    with pytest.raises(cs.InputError, match="not what a run writes"):
        cs.load(place)


def test_a_new_run_replaces_an_old_one_whole(tmp_path: Path) -> None:
    place = tmp_path / "run"
    cs.simulate("quickstart", out=place)
    (place / "stray").write_text("")
    cs.simulate("gridlock-ring", out=place, force=True)
    assert cs.load(place).scenario["name"] == "gridlock-ring"
    assert not (place / "stray").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("name", ["missing", "empty"])
def test_what_is_no_run_folder_is_said_in_one_line(name: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(cs.InputError, match="is not a run folder"):
        cs.load(tmp_path / name)


def test_a_failure_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), new_folder(tmp_path / "run") as temporary:
        (temporary / "half").write_text("half")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_something_else_in_it_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    for force in (False, True):
        with pytest.raises(cs.InputError, match="exists and is not empty"):
            cs.simulate("quickstart", out=tmp_path, force=force)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_an_empty_folder_that_one_stands_in_is_filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cs.simulate("quickstart", out=".")
    assert (tmp_path / "manifest.json").is_file()
    assert Path("report.html").is_file()


def test_the_usual_folder_counts_up(tmp_path: Path) -> None:
    assert default_folder("a", 1, tmp_path).name == "a-s1"
    (tmp_path / "a-s1").mkdir()
    assert default_folder("a", 1, tmp_path).name == "a-s1-2"


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_an_interrupted_run_leaves_nothing_and_says_so(tmp_path: Path) -> None:
    program = "from cnaps_sim.cli.main import main; print('ready', flush=True); main()"
    command = [sys.executable, "-c", program, "run", "hvps-day-2025", "--out", str(tmp_path / "run"), "--quiet"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.8)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert list(tmp_path.iterdir()) == []


def test_sums_of_fen_do_not_overflow() -> None:
    from cnaps_sim.run.runner import sum_exactly

    assert sum_exactly(np.full(200, 92 * 10**15)) == 200 * 92 * 10**15


def test_sequences_count_from_zero_in_order_of_time(folder: Path) -> None:
    payments = cs.load(folder).table("payments")
    assert payments["sequence"].to_pylist() == list(range(payments.num_rows))
    assert pc.all(pc.greater_equal(payments["instructed_ms"][1:], payments["instructed_ms"][:-1])).as_py()


def summary_keys(value: Any) -> Any:
    return {key: summary_keys(part) for key, part in value.items()} if isinstance(value, dict) else None


def test_the_summary_has_the_documented_keys(folder: Path) -> None:
    pair = {"count": None, "value_fen": None}
    system = dict.fromkeys(["submitted", "settled", "rejected", "returned", "cancelled", "queued", "peak_queue"], pair)
    money = ["opening_fen", "peak_used_fen", "lower_bound_fen", "upper_bound_fen", "turnover"]
    assert summary_keys(cs.load(folder).summary) == {
        "systems": {"HVPS": {**system, "delay_rho": None, "mean_delay_ms": None}},
        "liquidity": dict.fromkeys(money),
    }
