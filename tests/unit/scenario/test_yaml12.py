"""YAML 1.2 whose scalars stay text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnaps_sim.scenario.places import DEEPEST, Node, Source, nearest_node, plain
from cnaps_sim.scenario.yaml12 import decode, read, read_value
from cnaps_sim.words.errors import InputError

FILE = Source("s.yaml", Path())
OPTION = Source("--set", Path(), has_lines=False)


def data(text: str) -> Any:
    return plain(read_value(text, FILE))


@pytest.mark.parametrize(
    "text", ["no", "yes", "on", "08:30", "12:30:45", "0123", "0o17", "1e3", "true", "2025-06-17", "102100099996", "<<"]
)
def test_a_plain_scalar_stays_text(text: str) -> None:
    assert data(f"key: {text}") == {"key": text}


@pytest.mark.parametrize(("text", "value"), [("null", None), ("~", None), ("", None), ("''", ""), ("'null'", "null")])
def test_only_an_unquoted_null_is_nothing(text: str, value: str | None) -> None:
    assert data(f"key: {text}") == {"key": value}


def test_every_value_knows_its_line_and_column() -> None:
    root = read("a:\n  - b: 1\n    c: two words\n", FILE)
    node, depth = nearest_node(root, ("a", 0, "c"))
    assert (str(node.place), str(node.key_place), depth) == ("s.yaml:3:8", "s.yaml:3:5", 3)


def test_a_path_that_was_not_written_leads_to_the_nearest_thing_above_it() -> None:
    root = read("a:\n  b: 1\n", FILE)
    node, depth = nearest_node(root, ("a", "x", "y"))
    assert (str(node.place), depth) == ("s.yaml:2:3", 1)


def test_an_option_has_no_lines() -> None:
    with pytest.raises(InputError) as caught:
        read_value("[1, 2", OPTION)
    assert caught.value.place == "--set"


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert decode("\ufeffname: x".encode(), FILE) == "name: x"


def test_chinese_text_is_read() -> None:
    assert data("name: 大额支付 # 注释") == {"name": "大额支付"}


@pytest.mark.parametrize("text", ["a: &x 1", "a: *x", "&x a: 1", "*x : 1", "a: !!str 1", "!t {a: 1}", "a: [&x {}]"])
def test_anchors_aliases_and_tags_are_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"an anchor|an alias|a tag"):
        data(text)


def test_an_alias_bomb_is_refused_before_it_goes_off() -> None:
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40)]
    with pytest.raises(InputError, match="an anchor"):
        data("\n".join(lines))


def test_nesting_has_an_end() -> None:
    assert data("[" * DEEPEST + "]" * DEEPEST) != []
    with pytest.raises(InputError, match="nested too deep"):
        data("[" * 100_000 + "]" * 100_000)


def test_a_duplicate_key_is_told_with_its_path_and_first_line() -> None:
    with pytest.raises(InputError) as caught:
        data("a:\n  b: 1\n  c: 2\n  b: 3\n")
    assert str(caught.value) == "s.yaml:4:3: a.b: given twice, first on line 2; allowed: each key once"


def test_a_tab_after_a_value_is_harmless() -> None:
    assert data("a: 1\t# note\nb:\t2") == {"a": "1", "b": "2"}


def place_of_fault(reading: Callable[[], Node]) -> str:
    """Where reading fails; where the tree begins if it does not."""
    try:
        return str(reading().place)
    except InputError as error:
        return error.place


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_with_a_place(content: bytes) -> None:
    assert place_of_fault(lambda: read(decode(content, FILE), FILE)).startswith("s.yaml:")


@given(st.text(alphabet="ab:-[]{},'\"&*!|>#?%@ \n\t~0", max_size=60))
def test_any_text_is_read_or_refused_with_a_place(text: str) -> None:
    assert place_of_fault(lambda: read(text, FILE)).startswith("s.yaml:")
