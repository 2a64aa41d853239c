"""Loading: files, bundled names, dicts, options, and the place every error names."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cnaps_sim import resources
from cnaps_sim.scenario import load as loading
from cnaps_sim.scenario.load import bundled, from_dict, load, resolved_json
from cnaps_sim.words.codes import Discipline
from cnaps_sim.words.errors import InputError

TEXT = """\
accounts:
  - {account: A, balance: 100}
  - {account: B, balance: 100}
workload:
  - system: HVPS
    payments:
      - {payment_id: p1, time: 09:00, debtor: A, creditor: B, amount: 60}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def own_bundle(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bundle of two scenarios instead of the one that comes with the program."""
    bundle = folder / "bundle"
    bundle.mkdir()
    (bundle / "calm-day.yaml").write_text("question: What if nothing happens?\n" + TEXT)
    (bundle / "stress-day.yaml").write_text("extends: calm-day\nhvps: {discipline: bypass}\n")
    monkeypatch.setattr(loading, "resource", lambda *_: bundle)
    return bundle


def sentence(*args: Any, **kwargs: Any) -> str:
    with pytest.raises(InputError) as caught:
        load(*args, **kwargs)
    return str(caught.value)


def test_a_file_is_loaded_with_its_text_and_folder(folder: Path) -> None:
    (folder / "one.yaml").write_text(TEXT)
    found = load("one.yaml")
    assert (found.source_text, found.base_dir, found.files) == (TEXT, Path(), {})
    assert found.scenario.name == "one"
    assert found.place_of("accounts.1.balance") == "one.yaml:3:27"
    assert found.place_of("seed") == "one.yaml:1:1"


def test_a_bundled_name_needs_no_path(own_bundle: Path) -> None:
    found = load("stress-day")
    assert found.scenario.hvps.discipline is Discipline.BYPASS
    assert found.scenario.name == "stress-day"
    assert found.base_dir == own_bundle


def test_bundled_scenarios_are_listed_with_their_question(own_bundle: Path) -> None:
    assert own_bundle.is_dir()
    assert bundled() == [("calm-day", "What if nothing happens?"), ("stress-day", "")]


@pytest.mark.usefixtures("own_bundle")
def test_an_unknown_name_brings_the_nearest_ones() -> None:
    assert sentence("stres-day") == "scenario: no such bundled scenario (stres-day); allowed: stress-day, calm-day"


@pytest.mark.usefixtures("folder")
def test_a_file_that_is_not_there_is_told() -> None:
    assert sentence("none.yaml") == "none.yaml: cannot be read: no such file or directory"


def test_a_folder_is_no_scenario(folder: Path) -> None:
    (folder / "x.yaml").mkdir()
    assert sentence("x.yaml") == "x.yaml: cannot be read: is a directory"


def test_a_file_extends_the_one_beside_it_and_errors_name_the_right_file(folder: Path) -> None:
    (folder / "base.yaml").write_text(TEXT + "hvps:\n  discipline: bypass\n  penalty_rate: 2\n")
    (folder / "child.yaml").write_text("extends: base\nhvps: {discipline: reject}\n")
    assert sentence("child.yaml") == ("base.yaml:10:17: hvps.penalty_rate: too large (2); allowed: numbers from 0 to 1")
    found = load("child.yaml", ["hvps.penalty_rate=0.001"])
    assert found.scenario.hvps.discipline is Discipline.REJECT
    assert (found.place_of("hvps.discipline"), found.place_of("hvps.penalty_rate")) == ("child.yaml:2:20", "set")
    assert found.place_of("accounts.0.account") == "base.yaml:2:15"


def test_a_file_name_starts_from_the_folder_of_what_named_it(own_bundle: Path, folder: Path) -> None:
    (own_bundle / "filed.yaml").write_text("accounts: {file: a.csv}\nworkload: [{system: HVPS, file: p.csv}]\n")
    for name in ("a.csv", "p.csv"):
        (own_bundle / name).write_text("")
    (folder / "p2.csv").write_text("")
    (folder / "child.yaml").write_text("extends: filed\n")
    found = load("child.yaml", ["workload.0.file=p2.csv"])
    assert found.files == {"accounts.file": own_bundle / "a.csv", "workload.0.file": Path("p2.csv")}


def test_options_win_over_the_file_and_the_later_one_wins(folder: Path) -> None:
    (folder / "one.yaml").write_text(TEXT + "seed: 3\n")
    assert load("one.yaml", ["seed=4", "seed=5"]).scenario.seed == 5
    assert load("one.yaml", ["seed=4"], seed=6).scenario.seed == 6
    assert load("one.yaml").scenario.seed == 3


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("hvps.disciplin=fifo", "set: hvps.disciplin: unknown key; allowed: discipline, matching, reprioritise"),
        ("hvsp.discipline=fifo", "set: hvsp: unknown key; allowed: hvps, behaviours, holidays"),
        (
            "accounts.A.balance=1.005",
            "set: accounts.0.balance: not an amount in CNY with at most two decimals (1.005); "
            "allowed: CNY such as 1_000_000 or 1000.50",
        ),
        (
            "workload.0.payments.p1.amount=0",
            "set: workload.0.payments.0.amount: is zero (0); allowed: amounts above 0, up to 920000000000000.00 CNY",
        ),
        ("seed", "set: says no value (seed); allowed: KEY=VALUE"),
        ("name=[x", "set: name: not YAML: did not find expected ',' or ']' ([x)"),
        ("extends=x", "set: extends: only a file says what it extends; allowed: any other key"),
    ],
)
def test_a_wrong_option_is_told(folder: Path, option: str, expected: str) -> None:
    (folder / "one.yaml").write_text(TEXT)
    assert sentence("one.yaml", [option]) == expected


def test_a_wrong_seed_option_is_told(folder: Path) -> None:
    (folder / "one.yaml").write_text(TEXT)
    assert sentence("one.yaml", seed=-1).startswith("seed: seed: too small (-1)")


def test_of_several_faults_the_first_of_the_file_is_told(folder: Path) -> None:
    (folder / "one.yaml").write_text("seed: x\nnonsense: 1\n" + TEXT.replace("60", "-60"))
    assert sentence("one.yaml").startswith("one.yaml:2:1: nonsense: unknown key")
    (folder / "two.yaml").write_text(TEXT.replace("60", "-60") + "seed: x\ndays: 0\n")
    assert sentence("two.yaml").startswith("two.yaml:7:71: workload.0.payments.0.amount: is negative (-60)")


def test_the_name_of_the_file_names_the_scenario(folder: Path) -> None:
    (folder / "my day (2).yaml").write_text(TEXT)
    assert load("my day (2).yaml").scenario.name == "my-day--2-"


def test_resolved_json_is_a_scenario_file_too(folder: Path) -> None:
    (folder / "one.yaml").write_text(TEXT + "hvps: {reprioritise: true}\n")
    first = load("one.yaml").scenario
    (folder / "scenario.resolved.json").write_text(resolved_json(first))
    assert load("scenario.resolved.json").scenario == first


def test_a_dict_is_placed_at_the_scenario() -> None:
    data = {"accounts": [{"account": "A", "balance": 0.5}], "workload": []}
    with pytest.raises(InputError) as caught:
        from_dict(data)
    assert str(caught.value) == (
        "scenario: accounts.0.balance: a float cannot hold money (0.5); "
        "allowed: text or Decimal, CNY such as 1_000_000 or 1000.50"
    )


def test_a_dict_takes_options_with_python_values() -> None:
    data = json.loads(resolved_json(from_dict(_small()).scenario))
    found = from_dict(data, [("liquidity.alpha", 0.1), ("hvps.reprioritise", True), "seed=9"])
    assert (str(found.scenario.liquidity.alpha), found.scenario.hvps.reprioritise) == ("0.1", True)
    assert found.source_text == resolved_json(found.scenario)


@pytest.mark.parametrize("data", [{1: 2}, {"hvps": {2: 3}}])
def test_keys_of_a_dict_are_text(data: dict[Any, Any]) -> None:
    with pytest.raises(InputError, match="a key that is no text"):
        from_dict(data)


def test_a_dict_that_contains_itself_is_refused() -> None:
    data: dict[str, Any] = {}
    data["hvps"] = data
    with pytest.raises(InputError, match="nested deeper"):
        from_dict(data)


def test_accounts_from_a_file_are_checked_against_what_the_scenario_names(folder: Path) -> None:
    (folder / "a.csv").write_text("")
    text = TEXT[TEXT.index("workload") :]
    (folder / "one.yaml").write_text(f"accounts: {{file: a.csv}}\nbank_codes: strict\n{text}")
    found = load("one.yaml")
    with pytest.raises(InputError) as caught:
        found.check_accounts(["102100099996", "A"])
    assert caught.value.place == "one.yaml:1:18"
    (folder / "two.yaml").write_text(f"accounts: {{file: a.csv}}\n{text}")
    with pytest.raises(InputError) as caught:
        load("two.yaml").check_accounts(["A", "C"])
    assert str(caught.value) == ("two.yaml:5:60: workload.0.payments.0.creditor: unknown account (B); allowed: C, A")
    load("two.yaml").check_accounts(["A", "B"])


def test_what_was_loaded_can_be_sent_to_another_process(folder: Path) -> None:
    (folder / "one.yaml").write_text(TEXT)
    found = load("one.yaml")
    again = pickle.loads(pickle.dumps(found))
    assert again.scenario == found.scenario
    assert again.place_of("accounts.0.balance") == found.place_of("accounts.0.balance")


def test_resources_are_found_inside_the_package_first(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = folder / "package"
    (package / "scenarios").mkdir(parents=True)
    (folder / "scenarios").mkdir()
    (folder / "iso20022_xsd").mkdir()
    monkeypatch.setattr(resources, "_PACKAGE", package)
    assert resources.resource("scenarios") == package / "scenarios"
    assert resources.resource("iso20022_xsd") == folder / "iso20022_xsd"
    with pytest.raises(FileNotFoundError, match=r"scenarios/none\.yaml"):
        resources.resource("scenarios", "none.yaml")


def test_the_package_starts_without_pydantic() -> None:
    code = "import sys, cnaps_sim.resources, cnaps_sim.scenario; sys.exit('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def _small() -> dict[str, Any]:
    payment = {"payment_id": "p1", "time": "09:00", "debtor": "A", "creditor": "B", "amount": 60}
    return {
        "accounts": [{"account": "A", "balance": 100}, {"account": "B", "balance": 100}],
        "workload": [{"system": "HVPS", "payments": [payment]}],
    }
