"""The model: defaults, units, and the trip through resolved JSON and back."""

from __future__ import annotations

import datetime as dt
import json
import pickle
import subprocess
import sys
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cnaps_sim.scenario.accounts import NATIONAL_ACCOUNTS, AccountRow, GeneratedAccounts
from cnaps_sim.scenario.actions import MONEY_FIELDS, SETTABLE, Fee, Set, SetLimit, StopSending
from cnaps_sim.scenario.load import from_dict, json_schema, resolved, resolved_json, scenario_sha256
from cnaps_sim.scenario.model import Scenario
from cnaps_sim.scenario.verbs import VERBS
from cnaps_sim.scenario.workload import Generator, WorkloadGenerator, WorkloadPayments
from cnaps_sim.words.codes import AccountStatus, Discipline, Phase, Priority, System
from cnaps_sim.words.errors import InputError
from cnaps_sim.words.units import MAX_FEN, format_fen
from cnaps_sim.workload import population, synthetic

_SMALL: dict[str, Any] = {
    "accounts": [{"account": "A", "balance": "100"}, {"account": "B", "balance": "100"}],
    "workload": [
        {
            "system": "HVPS",
            "payments": [{"payment_id": "p1", "time": "09:00", "debtor": "A", "creditor": "B", "amount": "60"}],
        }
    ],
}
GENERATED: dict[str, Any] = {
    "accounts": {"generate": "national"},
    "workload": [{"system": "HVPS", "generator": "national"}],
}


def scenario(**changes: Any) -> Scenario:
    return from_dict({**_SMALL, **changes}).scenario


def test_the_defaults_are_documented_values() -> None:
    found = scenario()
    assert (found.name, found.date, found.days, found.seed) == ("scenario", dt.date(2025, 6, 17), 1, 1)
    assert found.record == {System.HVPS: "payments", System.BEPS: "totals", System.IBPS: "totals"}
    assert found.series_step == 60_000
    assert found.hvps.discipline is Discipline.FIFO
    assert (found.hvps.overdraft_rate, found.hvps.penalty_rate) == (Decimal("0.005"), Decimal("0.0006"))
    assert found.liquidity.from_ == "accounts"
    assert found.actions == ()


def test_matching_is_off_and_its_terms_are_in_the_units_of_the_program() -> None:
    matching = scenario().hvps.matching
    assert (matching.algorithm, matching.is_on, matching.duration, matching.saving) == ("none", False, 0, False)
    terms = {"algorithm": "multilateral", "every": "30 min", "at": ["10:00"], "value_over": "5.01", "duration": "2 s"}
    matching = scenario(hvps={"matching": {**terms, "on_phase": ["cut_off"]}}).hvps.matching
    assert (matching.every, matching.at, matching.value_over, matching.duration) == (
        1_800_000,
        (36_000_000,),
        501,
        2000,
    )
    assert matching.on_phase == (Phase.CUT_OFF,)


def test_a_bilateral_limit_is_fen() -> None:
    assert [limit.limit for limit in scenario(limits=[{"account": "A", "to": "B", "limit": "1.50"}]).limits] == [150]


@pytest.mark.parametrize("towards", [{}, {"to": "all"}, {"to": None}])
def test_a_limit_towards_nobody_in_particular_is_towards_all(towards: dict[str, Any]) -> None:
    assert [limit.to for limit in scenario(limits=[{"account": "A", "limit": 1, **towards}]).limits] == [None]
    action = {"at": "10:00", "do": "set_limit", "account": "A", "limit": "none", **towards}
    assert [found.to for found in scenario(actions=[action]).actions] == [None]


def test_a_limit_that_is_set_is_fen_and_none_removes_it() -> None:
    action = {"at": "10:00", "do": "set_limit", "account": "A", "to": "B"}
    found = scenario(actions=[{**action, "limit": "1.50"}, {**action, "limit": "none"}])
    assert [action.most for action in found.actions if isinstance(action, SetLimit)] == [150, None]


def test_options_change_single_terms_of_matching() -> None:
    found = from_dict(_SMALL, ["hvps.matching.algorithm=exact", "hvps.matching.at=['10:00', '11:00']"]).scenario
    assert found.hvps.matching.at == (36_000_000, 39_600_000)
    with pytest.raises(InputError) as caught:
        from_dict(_SMALL, ["hvps.matching.every=1 min"])
    assert (caught.value.place, caught.value.key) == ("set", "hvps.matching.every")
    with pytest.raises(InputError) as caught:
        from_dict(_SMALL, ["hvps.matching.algoritm=exact"])
    assert "algorithm" in caught.value.allowed


def test_the_schema_names_the_algorithms_a_run_may_ask_for() -> None:
    words, function = json_schema()["$defs"]["MatchingTerms"]["properties"]["algorithm"]["anyOf"]
    assert words["enum"][0] == "none"
    assert {"multilateral", "exact"} < set(words["enum"])
    assert not {"fifo", "bypass", "lp"} & set(words["enum"])
    assert "pattern" in function


def test_a_scenario_without_matching_loads_no_algorithm() -> None:
    program = (
        "import sys; from cnaps_sim.scenario.load import load; load('quickstart'); "
        "print([name for name in sys.modules if name.startswith(('cnaps_sim.optimise', 'numba'))])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_money_is_fen_and_words_are_members() -> None:
    found = scenario()
    assert isinstance(found.accounts, tuple)
    assert found.accounts[0] == AccountRow(account="A", balance=100)
    assert found.accounts[0].balance == 10_000
    entry = found.workload[0]
    assert isinstance(entry, WorkloadPayments)
    assert entry.payments[0].amount == 6_000
    assert entry.payments[0].priority is Priority.NORM


def test_the_generator_brings_the_published_day() -> None:
    found = from_dict(GENERATED).scenario
    entry = found.workload[0]
    assert isinstance(entry, WorkloadGenerator)
    assert (entry.count, entry.value) == (1_629_000, 3_615_000_000_000_000)
    assert isinstance(found.accounts, GeneratedAccounts)
    assert found.accounts.count == 320


def test_the_defaults_of_the_generator_are_those_of_the_workload_room() -> None:
    entry = WorkloadGenerator(system=System.HVPS, generator=Generator.NATIONAL)
    own = {
        "customer_median_fen": entry.customer_median,
        "customer_sigma": float(entry.customer_sigma),
        "bank_median_fen": entry.bank_median,
        "bank_sigma": float(entry.bank_sigma),
        "bank_share": float(entry.bank_transfer_share),
        "late_value_share": float(entry.late_value_share),
        "high_share": float(entry.high_share),
        "urgent_share": float(entry.urgent_share),
        "core_count": entry.core_count,
        "ties": entry.ties,
        "reciprocity": float(entry.reciprocity),
    }
    assert {name: getattr(synthetic.DEFAULTS, name) for name in own} == own
    assert (float(entry.size_exponent), NATIONAL_ACCOUNTS) == (population.SIZE_EXPONENT, population.ACCOUNT_COUNT)


def test_generated_accounts_start_a_calm_day() -> None:
    assert from_dict(GENERATED).scenario.liquidity.share_of_outflow == (Decimal("0.5"), Decimal("0.7"))


def test_one_share_of_outflow_holds_for_every_account() -> None:
    found = scenario(liquidity={"share_of_outflow": 0.1})
    assert found.liquidity.share_of_outflow == (Decimal("0.1"), Decimal("0.1"))


def test_a_fee_names_one_account_or_several() -> None:
    found = scenario(actions=[{"at": "10:00", "do": "fee", "account": "A", "amount": 1}])
    action = found.actions[0]
    assert isinstance(action, Fee)
    assert (action.account, action.amount) == (("A",), 100)


def test_set_reads_its_value_as_the_field_wants_it() -> None:
    def value(field: str, text: str) -> object:
        action = scenario(
            actions=[{"at": "10:00", "do": "set", "account": "A", "field": field, "value": text}]
        ).actions[0]
        assert isinstance(action, Set)
        return action.value

    assert value("status", "AS06") is AccountStatus.AS06
    assert value("floor", "5") == 500
    assert value("warning_line", "-5") == -500


def test_a_key_without_a_value_means_its_default() -> None:
    action = {"at": "10:00", "do": "stop_sending", "account": "A", "until": None}
    found = scenario(hvps=None, question=None, actions=[action]).actions[0]
    assert isinstance(found, StopSending)
    assert found.until is None


def test_a_scenario_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        scenario().seed = 2


def test_a_timetable_fills_in_the_published_hours() -> None:
    day = scenario(timetable={"window_end": "18:00"}).business_timetable().business_days[0]
    assert (day.opens_ms, day.cut_off_ms, day.window_end_ms) == (-12_600_000, 62_100_000, 64_800_000)


def test_days_are_counted_over_weekends() -> None:
    found = scenario(date="2025-06-20", days=2).business_timetable()
    assert [day.date for day in found.business_days] == [dt.date(2025, 6, 20), dt.date(2025, 6, 23)]


# The trip through resolved JSON

_money = st.integers(0, MAX_FEN).map(format_fen)
_amount = st.integers(1, MAX_FEN).map(format_fen)
_signed = st.integers(-MAX_FEN, MAX_FEN).map(format_fen)
_clock = st.times(dt.time(0), dt.time(17)).map(
    lambda t: t.replace(microsecond=t.microsecond // 1000 * 1000).isoformat("milliseconds")
)
_moment = _clock | _clock.map(lambda clock: f"2025-06-17T{clock}")
_share = st.decimals(0, 1, places=6).map(str)
_account = st.sampled_from(["A", "B", "C.1", "no", "0123"])
_on_account = {"at": _moment, "account": _account}
_on_payment = {"payment": st.just("p1")}
_with_amount = {**_on_account, "amount": _amount}
_with_switch = {**_on_account, "on": st.booleans()}
_with_nets = {"nets": _signed.map(lambda net: [{"account": "A", "net": net}, {"account": "B", "net": _less(net)}])}
_terms_of: dict[str, dict[str, Any]] = {
    **dict.fromkeys(("move_head", "move_tail", "cancel", "reverse"), _on_payment),
    **dict.fromkeys(("log_in", "log_out", "stop_sending"), _on_account),
    **dict.fromkeys(("inject", "central_bank_debit", "central_bank_credit"), _with_amount),
    **dict.fromkeys(("debit_control", "credit_control"), _with_switch),
    **dict.fromkeys(("same_city_net", "round_net"), _with_nets),
    "reprioritise": {**_on_payment, "priority": st.sampled_from(["URGT", "HIGH", "NORM"])},
    "fee": {"account": _account | st.lists(_account, min_size=1), "amount": _amount},
    "match": {},
    "recall": {**_on_payment, "agreed": st.booleans()},
    "ask": {**_on_account, "about": st.sampled_from(["balance", "queue", "day"])},
    "ask_status": _on_payment,
    "set_limit": {
        "at": _moment,
        "account": st.sampled_from(["A", "B"]),
        "to": st.sampled_from(["C.1", "no", "0123", "all"]),
        "limit": _money | st.just("none"),
    },
    "set": {**_on_account, "field": st.sampled_from(MONEY_FIELDS), "value": _money},
    "link_loss": {"until": st.just("17:10")},
    "third_party_net": {**_with_nets, "from": _account},
    "cancel_third_party": {"from": _account},
    "stop_payment": {"payment": st.just("b1")},
    "pledge": {**_on_account, "amount": _amount},
    "repay": _on_account,
    "start_pool": {"pool": st.just("three")},
    "stop_pool": {"pool": st.just("three")},
    "cancel_pool": {"pool": st.just("three")},
}


def _less(text: str) -> str:
    return format_fen(-int(text.replace(".", "")))


_action = st.sampled_from(sorted(_terms_of)).flatmap(
    lambda verb: st.fixed_dictionaries({"at": _moment, "do": st.just(verb), **_terms_of[verb]})
)
_rows = st.fixed_dictionaries(
    {},
    optional={
        "name": st.text("银行 Bank", min_size=1).filter(str.strip),
        "kind": st.sampled_from(["state", "joint-stock"]),
        "status": st.sampled_from(list(AccountStatus)),
        "overdraft_limit": _money,
        "reserved_urgent": _money,
        "warning_line": _signed,
        "cap_warning_line": _money,
    },
)
_payment = st.fixed_dictionaries(
    {"time": _moment, "debtor": _account, "creditor": _account, "amount": _amount},
    optional={"priority": st.sampled_from(list(Priority)), "due": _moment, "type": st.just("A100")},
)
_matching = st.fixed_dictionaries(
    {"algorithm": st.sampled_from(["multilateral", "exact", "my.module:settle"])},
    optional={
        "every": st.integers(1, 10**7).map(lambda ms: f"{ms} ms"),
        "at": st.lists(_clock, max_size=3, unique=True),
        "queued_over": st.integers(0, 10**9),
        "value_over": _money,
        "on_phase": st.lists(st.sampled_from(["daytime", "cut_off", "clearing_window"]), unique=True),
        "continuous": st.booleans(),
        "duration": st.just(0) | st.integers(0, 10**5).map(lambda ms: f"{ms} ms"),
        "bound": st.sampled_from(["none", "lp"]),
        "saving": st.booleans(),
    },
)
_limits = st.lists(
    st.sampled_from([("A", "B"), ("B", "A"), ("A", "C.1"), ("0123", "no"), ("A", "all")]), unique=True, max_size=3
).flatmap(lambda pairs: st.tuples(*(_money.map(lambda fen, pair=pair: (*pair, fen)) for pair in pairs)))
_retail_payment = st.fixed_dictionaries(
    {"time": st.just("09:00"), "debtor": st.just("A"), "creditor": _account, "amount": _amount},
    optional={"type": st.sampled_from(["BCRD", "BRGD"]), "on_behalf_of": st.sampled_from(["Shop", "nobody"])},
)
_ms = st.integers(1, 10**6).map(lambda ms: f"{ms} ms")
_from_a_second = st.integers(1000, 10**6).map(lambda ms: f"{ms} ms")
_half = st.decimals(0, "0.5", places=4).map(str)
_rounds = st.lists(_clock.filter(lambda clock: clock < "16:00"), max_size=3, unique=True).map(
    lambda clocks: [*sorted(clocks), "16:00"]
)
_retail_terms = st.fixed_dictionaries(
    {},
    optional={
        "nets": st.fixed_dictionaries(
            {},
            optional={
                "cap": st.just("accounts"),
                "release": st.sampled_from(["08:30", "opening"]),
                "rounds": st.fixed_dictionaries({}, optional={"working": _rounds, "other": _rounds}),
                "matching": st.fixed_dictionaries({}, optional={"on_round": st.booleans(), "every": _from_a_second}),
                "third_party": st.lists(
                    st.fixed_dictionaries(
                        {"from": _account, "at": st.just(["09:30"]), "value": _amount, "participants": st.just(3)}
                    ),
                    max_size=2,
                ),
            },
        ),
        "beps": st.fixed_dictionaries(
            {},
            optional={
                "package_limit": st.integers(1, 10**6),
                "item_limit": _amount,
                "realtime_limit": _ms,
                "reply_days": st.integers(1, 10),
                "refused_share": _half,
                "unanswered_share": _half,
            },
        ),
        "ibps": st.fixed_dictionaries({}, optional={"item_limit": _amount, "reply_limit": _ms, "reply_sigma": _half}),
        "clients": st.fixed_dictionaries(
            {"name": st.just("Shop"), "direct": st.just("A")}, optional={"value": _money, "credit_line": _money}
        ).map(lambda client: [client]),
    },
)
_pools = st.fixed_dictionaries(
    {},
    optional={
        "order": st.sampled_from(["set", "random"]),
        "from": st.dates(dt.date(2025, 1, 1), dt.date(2025, 6, 1)),
        "until": st.dates(dt.date(2025, 6, 17), dt.date(2026, 1, 1)),
        "sweeps": st.lists(
            st.fixed_dictionaries({"at": st.just("16:30"), "direction": st.sampled_from(["up", "down"])}), max_size=2
        ),
    },
).map(lambda terms: [{**terms, "name": "three", "accounts": ["A", "B", "no"]}, {**terms, "owners": "all"}])
_pledge = st.fixed_dictionaries(
    {},
    optional={
        "rate": _share,
        "start": _money,
        "default_after": st.integers(1, 30),
        "collateral": st.fixed_dictionaries(
            {"account": _account, "bonds": _money, "mode": st.sampled_from(["none", "manual"])},
            optional={"capital": _money},
        ).map(lambda row: [row]),
    },
)
_credit = st.fixed_dictionaries(
    {},
    optional={
        "pledge": _pledge,
        "agreements": st.fixed_dictionaries(
            {"lender": st.just("A"), "borrower": st.just("B"), "upper": _amount}, optional={"rate": _share}
        ).map(lambda row: [row]),
        "lending_desk": st.fixed_dictionaries({}, optional={"share": _share, "after": _ms, "rate": _share}),
    },
)
_liquidity = (
    st.just({"from": "accounts"})
    | st.fixed_dictionaries({"alpha": _share})
    | st.fixed_dictionaries({"share_of_outflow": _share | st.lists(_share, min_size=2, max_size=2).map(sorted)})
)


@st.composite
def scenarios(draw: st.DrawFn) -> dict[str, Any]:
    """Any valid scenario with written-out accounts and payments."""
    payments = [
        {"payment_id": f"p{n}", **row} for n, row in enumerate(draw(st.lists(_payment, min_size=1, max_size=4)), 1)
    ]
    optional = st.fixed_dictionaries(
        {},
        optional={
            "name": st.just("any"),
            "question": st.just("Was passiert?"),
            "days": st.integers(1, 5),
            "seed": st.integers(0, 2**63 - 1),
            "scale": st.decimals("0.001", 1000, places=3).map(str),
            "record": st.sampled_from(["payments", "accounts", "totals"]).map(
                lambda detail: {"HVPS": detail, "IBPS": detail}
            ),
            "series_step": st.integers(1, 10**9).map(lambda ms: f"{ms} ms"),
            "holidays": st.lists(st.dates(dt.date(2030, 1, 1), dt.date(2031, 1, 1)), max_size=3),
            "timetable": st.just({"cut_off": "17:10", "opens_day_before": True}),
            "liquidity": _liquidity,
            "hvps": st.fixed_dictionaries(
                {},
                optional={
                    "discipline": st.sampled_from(["fifo", "bypass", "reject"]),
                    "reprioritise": st.booleans(),
                    "overdraft_rate": _share,
                },
            ),
            "actions": st.lists(_action, max_size=5),
            "pools": _pools,
            "reservations": st.fixed_dictionaries(
                {"account": _account}, optional={"high": _money, "urgent": _money}
            ).map(lambda row: [row]),
            "credit": _credit,
        },
    )
    accounts = [{"account": account, **draw(_rows)} for account in ("A", "B", "C.1", "no", "0123")]
    found: dict[str, Any] = {**draw(optional), **draw(_retail_terms)}
    hvps = found.get("hvps", {})
    if hvps.get("discipline") != "reject" and draw(st.booleans()):
        found["hvps"] = {**hvps, "matching": draw(_matching)}
    algorithm = found.get("hvps", {}).get("matching", {}).get("algorithm", "none")
    if algorithm == "none":
        found["actions"] = [action for action in found.get("actions", []) if action["do"] != "match"]
    found["actions"] = [action for action in found.get("actions", []) if action["do"] not in ("ask", "ask_status")]
    if algorithm in ("none", "multilateral"):
        found["limits"] = [{"account": a, "to": b, "limit": most} for a, b, most in draw(_limits)]
    else:
        found["actions"] = [action for action in found["actions"] if action["do"] != "set_limit"]
    senders = {action["from"] for action in found["actions"] if action["do"] == "third_party_net"}
    senders |= {row["from"] for row in found.get("nets", {}).get("third_party", [])}
    found["actions"] = [a for a in found["actions"] if a["do"] != "cancel_third_party" or a["from"] in senders]
    package = [
        {"payment_id": f"b{n}", **row}
        for n, row in enumerate(draw(st.lists(_retail_payment, min_size=1, max_size=3)), 1)
    ]
    package[0]["package"] = "k1"
    workload = [{"system": "HVPS", "payments": payments}, {"system": "BEPS", "payments": package}]
    return {**found, "accounts": accounts, "workload": workload}


@given(scenarios())
def test_resolved_json_reads_back_to_an_equal_scenario(data: dict[str, Any]) -> None:
    first = from_dict(data).scenario
    text = resolved_json(first)
    again = Scenario.model_validate(json.loads(text))
    assert again == first
    assert resolved_json(again) == text
    assert from_dict(first).scenario == first
    assert pickle.loads(pickle.dumps(first)) == first


def _spots(data: Any) -> list[tuple[Any, Any]]:
    """Every container of a structure with each of its keys or positions."""
    if not isinstance(data, dict | list):
        return []
    keys = list(data) if isinstance(data, dict) else list(range(len(data)))
    return [(data, key) for key in keys] + [spot for key in keys for spot in _spots(data[key])]


_junk = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text(max_size=6)
    | st.binary(max_size=3)
    | st.datetimes()
    | st.sampled_from(["A", "p1", "HVPS", "AS01", "30 min", "08:30", "national", "-1", "1e99"])
    | st.lists(st.integers(), max_size=2)
    | st.dictionaries(st.text(max_size=5), st.integers(), max_size=2)
)


@given(scenarios(), _junk, st.integers(0), st.sampled_from(["", "file", "generate", "payment", "alpha", "x"]))
def test_whatever_stands_anywhere_is_read_or_told_in_words(
    data: dict[str, Any], junk: Any, spot: int, new_key: str
) -> None:
    spots = _spots(data)
    container, key = spots[spot % len(spots)]
    container[new_key if new_key and isinstance(container, dict) else key] = junk
    place, problem = fault_of(data)
    assert place in ("", "scenario")
    assert problem != "not a value that can stand here"


def fault_of(data: dict[str, Any]) -> tuple[str, str]:
    """Place and problem of data that is wrong; of data that is right, that it makes the trip."""
    try:
        found = from_dict(data).scenario
    except InputError as error:
        return error.place, error.problem
    assert Scenario.model_validate(resolved(found)) == found
    return "", ""


def test_every_verb_makes_the_trip() -> None:
    assert set(_terms_of) == set(VERBS)
    assert set(SETTABLE) - set(MONEY_FIELDS) == {"status"}


def test_the_digest_counts_files_by_their_content() -> None:
    found = scenario()
    assert scenario_sha256(found) == scenario_sha256(scenario())
    assert scenario_sha256(found) != scenario_sha256(scenario(seed=2))
    for_one = scenario_sha256(found, {"workload.0.payments": "aa"})
    assert for_one == scenario_sha256(scenario(workload=_SMALL["workload"]), {"workload.0.payments": "aa"})
    assert for_one != scenario_sha256(found, {"workload.0.payments": "bb"})


def test_resolved_data_holds_no_float() -> None:
    def values(data: Any) -> list[Any]:
        if isinstance(data, dict):
            return [value for child in data.values() for value in values(child)]
        return [value for child in data for value in values(child)] if isinstance(data, list) else [data]

    assert {type(value) for value in values(resolved(from_dict(GENERATED).scenario))} <= {str, int, bool}


def test_the_schema_shows_defaults_as_files_write_them() -> None:
    schema = json_schema()
    assert schema["properties"]["series_step"]["default"] == "1 min"
    generator = schema["$defs"]["WorkloadGenerator"]["properties"]
    assert generator["value"]["default"] == "36150000000000.00"
    assert schema["$defs"]["HvpsTerms"]["properties"]["discipline"]["default"] == "fifo"
    assert list(schema["properties"])[:3] == ["name", "question", "extends"]
    assert not any("fen" in str(part.get("description", "")).split() for part in schema["$defs"].values())


def test_the_schema_describes_every_key() -> None:
    schema = json_schema()
    parts = [schema, *schema["$defs"].values()]
    nameless = [
        key for part in parts for key, value in part["properties"].items() if "description" not in value and key != "do"
    ]
    assert nameless == []
