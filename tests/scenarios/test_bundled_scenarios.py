"""Every bundled scenario runs, passes its audit and shows what its question is about."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

import cnaps_sim as cs
from cnaps_sim.analysis.drawing import money
from cnaps_sim.scenario.load import bundled

SLOW = os.environ.get("CNAPS_SIM_TESTS") == "slow"
#: National days run at a fiftieth of their size in the fast tier.
SCALE = 1 if SLOW else "0.02"
README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
NATIONAL = {
    "hvps-day-2025", "hvps-day-2025-scarce", "hvps-day-2025-matching", "liquidity-tools", "national-day-2025",
}  # fmt: skip


def run(name: str) -> cs.Run:
    return cs.simulate(name, set={"scale": SCALE} if name in NATIONAL else {})


@pytest.mark.parametrize("name", [name for name, _ in bundled()])
def test_each_scenario_runs_and_passes_its_audit(name: str) -> None:
    done = run(name)
    assert done.manifest["audit"]["verdict"] == "passed"
    assert done.scenario["question"].endswith("?")
    told = re.search(rf"^\| `{name}` \| [\d,]+ items, .*$", README, re.M)
    if told is not None and (SLOW or name not in NATIONAL):
        assert told.group() == retail_figures(name, done)


def retail_figures(name: str, done: cs.Run) -> str:
    """The row of the README's table of retail scenarios."""
    netted = cs.metrics.netting(done).set_index("measure")["value"]
    caps = cs.metrics.caps(done, by=None).set_index("measure")["value"]
    cells = [f"{int(netted.netted_count):,} items, {money(int(netted.gross))}", money(int(netted.nets))]
    cells.append(f"{netted.netting_ratio * 100:.1f} %")
    for fate in ("queued", "rejected"):
        count, fen = (int(caps[f"{fate}_{unit}"]) for unit in ("count", "fen"))
        cells.append(f"{count:,} items, {money(fen)}" if count else "none")
    return f"| `{name}` | {' | '.join(cells)} |"


def test_the_first_line_of_a_scenario_is_its_question() -> None:
    from cnaps_sim.resources import resource

    for path in resource("scenarios").glob("*.yaml"):
        first = path.read_text(encoding="utf-8").splitlines()[0]
        assert first.startswith("# ")
        assert first.endswith("?")


def test_all_eight_levels_wait_in_eight_levels_and_leave_in_order() -> None:
    done = run("eight-levels")
    waited = done.payments[done.payments.released_by.notna() | (done.payments.reason == "RJ99")]
    assert set(waited.level) == set(range(8))
    relief = done.transfers[done.transfers.time_ms.isin([39_600_000, 43_200_000])]
    for _, instant in relief.groupby("time_ms"):
        levels = list(instant.level.iloc[1:])  # the first is the relief itself
        assert levels == sorted(levels)


def test_the_ring_is_stuck_until_the_last_yuan_is_there() -> None:
    done = run("gridlock-ring")
    assert set(done.payments.settled_ms) == {50_400_000}
    assert list(done.payments.set_index("payment_id").released_by) == ["injection", "R1", "R2", "R3"]


def test_a_scarce_day_queues_more_and_uses_less_than_a_calm_one() -> None:
    calm, scarce = (run(name).summary for name in ("hvps-day-2025", "hvps-day-2025-scarce"))
    assert scarce["systems"]["HVPS"]["delay_rho"] > calm["systems"]["HVPS"]["delay_rho"]
    assert scarce["liquidity"]["peak_used_fen"] < calm["liquidity"]["peak_used_fen"]
    assert scarce["liquidity"]["turnover"] > calm["liquidity"]["turnover"]


def test_a_stricken_bank_makes_others_wait() -> None:
    struck = run("stricken-bank")
    well = cs.simulate("stricken-bank", set={"actions": []})
    waits = []
    for done in (struck, well):
        frame = done.payments[done.payments.debtor != "102100099996"]
        settled = frame[frame.settled_ms.notna()]
        waits.append(int((settled.settled_ms - settled.submitted_ms).sum()))
    assert waits[0] > waits[1]


def test_matching_settles_more_of_a_scarce_day_and_sooner() -> None:
    scarce, matched = run("hvps-day-2025-scarce"), run("hvps-day-2025-matching")
    without, with_matching = (done.summary["systems"]["HVPS"] for done in (scarce, matched))
    assert with_matching["settled"]["value_fen"] > without["settled"]["value_fen"]
    assert with_matching["delay_rho"] < without["delay_rho"]
    saving = matched.manifest["matching"]
    assert saving["rho_without"] == pytest.approx(without["delay_rho"], rel=1e-12)
    assert saving["rho_with"] == pytest.approx(with_matching["delay_rho"], rel=1e-12)
    assert 0 < saving["liquidity_share"] < 1


def test_the_gridlock_lab_settles_in_a_run_what_one_matching_of_its_queue_does() -> None:
    done, matched = run("gridlock-lab"), cs.match("gridlock-lab", algorithm="exact")
    first = done.matchings.iloc[0]
    assert (first.settled, first.settled_fen) == (matched.settled_count, matched.settled_value_fen)
    assert first.bound_fen == matched.bound
    released = done.payments[done.payments.released_by == "matching:1"]
    assert list(released.payment_id) == sorted(matched.settled)
    plain = cs.simulate("gridlock-lab", set={"hvps.matching": "{}"})
    assert plain.summary["systems"]["HVPS"]["settled"]["count"] == 0


def test_a_scenario_and_a_pair_of_files_may_share_a_name() -> None:
    from cnaps_sim.analysis.queue_input import bundled_pairs

    names = [name for name, _ in bundled()]
    assert names.count("gridlock-lab") == 1
    assert "gridlock-lab" in bundled_pairs()


def test_one_account_does_what_its_scenario_and_the_readme_say_against_thirty_two() -> None:
    """The measured figures stand in both texts; a smaller day shows the same order."""
    from cnaps_sim.resources import resource

    names = ("one-account-or-thirty-two", "one-account-or-thirty-two-branches")
    runs = [run(name) for name in names]
    told = [pooling_figures(done) for done in runs]
    said = resource("scenarios", f"{names[0]}.yaml").read_text(encoding="utf-8").replace("\n# ", " ")
    page = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    assert [len(done.accounts) - 4 for done in runs] == [320, 1_737]  # the central bank has four of its own
    assert told[0]["opening"] == told[1]["opening"]
    one, many = told
    for sentence in (
        f"with the same {one['opening']} at the opening",
        f"leaves {one['unsettled']} of the value between entities unsettled, not {many['unsettled']}",
        f"a delay indicator of {one['rho']}, not {many['rho']}",
        f"needs {one['lower']} to {one['upper'][4:]} (lower and upper bound), ",
        f"not {many['lower'][4:]} to {many['upper'][4:]}",
    ):
        assert sentence in said
    assert all(f"| {one[key]} | {many[key]} |" in page for key in one)
    small = [pooling_figures(cs.simulate(name, set={"scale": "0.02"})) for name in names]
    assert small[0]["rho"] < small[1]["rho"]
    assert small[0]["opening"] == small[1]["opening"]


def pooling_figures(done: cs.Run) -> dict[str, str]:
    """What single-point access is compared by: money as people read it, shares of payments between entities."""
    from cnaps_sim.analysis.drawing import money

    found = dict(cs.metrics.liquidity(done)[["measure", "value"]].itertuples(index=False))
    between = done.payments[done.payments.payment_id.str.startswith("H")]
    unsettled = 1 - between[between.settled_ms.notna()].amount_fen.sum() / between.amount_fen.sum()
    delay = cs.metrics.delay(done, where=lambda frame: frame.payment_id.str.startswith("H"))
    return {
        "opening": money(found["opening"]),
        "unsettled": f"{unsettled:.1%}".replace("%", " %"),
        "rho": f"{delay[delay.measure == 'rho'].value.iloc[0]:.3f}",
        "lower": money(found["lower_bound"]),
        "upper": money(found["upper_bound"]),
    }


def test_liquidity_tools_do_what_the_readme_says() -> None:
    """The table of the page is that of the report; each tool alone makes payments wait less, and pools save most."""
    from cnaps_sim.analysis.drawing import percent
    from cnaps_sim.analysis.report.tool_study import comparison_section

    done = cs.simulate("liquidity-tools")
    told = cs.metrics.tools(done).set_index(["tools", "measure"])["value"]
    names = ["matching", "pools", "pledge", "overdraft", "lending"]
    assert all(told[name, "rho"] < told["none", "rho"] for name in names)
    assert min(names, key=lambda name: told[name, "least_opening"]) == "pools"
    assert told["all", "least_opening"] < told["pools", "least_opening"]
    page = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8").replace("\n", " ")
    section = comparison_section(done, done.summary)
    assert section is not None
    rows = dict(section["rows"])
    for head in ("share of value settled", "delay indicator ρ", "least opening balances"):
        assert f"| {head} | {' | '.join(rows[head])} |" in page
    assert f"| interest in all, CNY | {' | '.join(rows['interest in all'])} |" in page
    for source in ("own", "receipts", "pool", "credit", "offset"):
        assert percent(float(told["all", f"{source}_share"])) in page
