"""Field types that are text: names, ids, words of a fixed list; and `Terms`, the mapping all parts of a scenario are.

Every field type of this room reads what a file says, which is text, and what a Python user may give instead (int,
Decimal, date). Every one writes text or plain JSON that reads back to the same value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from numbers import Integral
from typing import Annotated, Any, ClassVar, Final

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from cnaps_sim.scenario.faults import fault
from cnaps_sim.words.codes import CentralBankAccount
from cnaps_sim.words.errors import nearest

_ACCOUNT = re.compile(r"[A-Za-z0-9._-]{1,35}")
#: Longer text is no number, no amount and no time, and is not tried.
LONGEST_NUMBER: Final = 40
_CENTRAL_BANK: Final = frozenset(account.value for account in CentralBankAccount)


class Terms(BaseModel):
    """A mapping of a scenario: only its own keys, never changed after it was read.

    A key without a value means its default, as an empty cell does in a table.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    #: Keys that a file may have but that are gone by now; errors still offer them.
    keys_read_before: ClassVar[tuple[str, ...]] = ()

    @model_validator(mode="before")
    @classmethod
    def _own_keys(cls, data: Any) -> Any:
        if isinstance(data, cls):
            return data
        if not isinstance(data, Mapping):
            raise fault("must be a mapping of keys to values", ", ".join(known_keys(cls)), value=shape(data))
        known = known_keys(cls)
        for key in data:
            if key not in known:
                raise fault(
                    "unknown key", nearest(str(key), (*known, *cls.keys_read_before)), path=(str(key),), at_key=True
                )
        return {key: value for key, value in data.items() if value is not None}


def known_keys(model: type[BaseModel]) -> list[str]:
    """The keys of a mapping as files write them, in the order of the documentation."""
    return [field.alias or name for name, field in model.model_fields.items()]


def shape(value: object) -> str:
    """How a wrong value is shown: itself if it is a scalar, else what it is."""
    if isinstance(value, Mapping | BaseModel):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    return "nothing" if value is None else str(value)


def read_text(read: Callable[[str], Any], value: object, problem: str, allowed: str) -> Any:
    """`read(value)`, with its ValueError, or a value that is no text at all, turned into a fault."""
    if not isinstance(value, str):
        raise fault(problem, allowed, value=shape(value))
    try:
        return read(value)
    except ValueError as error:
        raise fault(str(error) or problem, allowed) from None


def as_tuple(value: object) -> object:
    """A list as the tuple that a frozen model keeps."""
    if isinstance(value, tuple):
        return value
    if not isinstance(value, list):
        raise fault("must be a list", value=shape(value))
    return tuple(value)


listed = BeforeValidator(as_tuple)


def choose_one(*keys: str, or_list: bool = False) -> BeforeValidator:
    """A mapping that has exactly one of `keys`, which are different ways to say the same thing; or a list, where that
    is yet another way."""
    allowed = f"exactly one of {', '.join(keys)}"

    def read(value: object) -> object:
        if isinstance(value, BaseModel) or (or_list and isinstance(value, list | tuple)):
            return value
        if not isinstance(value, Mapping):
            shapes = "a list or a mapping" if or_list else "a mapping"
            raise fault(f"must be {shapes} of keys to values", f"{allowed} in a mapping", value=shape(value))
        given = [key for key in value if key in keys and value[key] is not None]
        if not given:
            raise fault("says none of its alternatives", allowed)
        if len(given) > 1:
            raise fault(f"contradicts {given[0]}", allowed, path=(given[1],), at_key=True)
        return value

    return BeforeValidator(read)


def matching(pattern: re.Pattern[str], problem: str, allowed: str) -> BeforeValidator:
    """Text of a given form. Whole numbers from Python are taken as their digits, as in `account=102100099996`."""

    def read(value: object) -> str:
        text = str(value) if isinstance(value, Integral) and not isinstance(value, bool) else value
        if not isinstance(text, str) or pattern.fullmatch(text) is None:
            raise fault(problem, allowed, value=shape(text) or "''")
        return text

    return BeforeValidator(read)


@dataclass(frozen=True, eq=False)
class OneOf:
    """One of a few words, each standing for a member of an enumeration.

    noun:    what the words are called in the error
    members: the member of each word, in the order they are listed
    """

    noun: str
    members: Mapping[str, Enum]

    @classmethod
    def of(cls, noun: str, members: Iterable[Enum]) -> OneOf:
        """The words of an enumeration: its values if they are text, else its names in small letters."""
        return cls(noun, {m.value if isinstance(m.value, str) else m.name.lower(): m for m in members})

    def read(self, value: object) -> Enum:
        """The member a word stands for."""
        if isinstance(value, Enum) and any(value is member for member in self.members.values()):
            return value
        if not isinstance(value, str) or value not in self.members:
            raise fault(f"no such {self.noun}", ", ".join(self.members), value=shape(value))
        return self.members[value]

    def word(self, member: Enum) -> str:
        """The word of a member."""
        return next(word for word, other in self.members.items() if other is member)

    def __get_pydantic_core_schema__(self, _source: object, _build: GetCoreSchemaHandler) -> CoreSchema:
        written = core_schema.plain_serializer_function_ser_schema(self.word, return_schema=core_schema.str_schema())
        return core_schema.no_info_plain_validator_function(self.read, serialization=written)

    def __get_pydantic_json_schema__(self, _schema: CoreSchema, _build: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"enum": list(self.members)}


def _account(value: object) -> object:
    if isinstance(value, str) and value in _CENTRAL_BANK:
        raise fault("an account of the central bank's own, kept by the program", "any other id")
    return value


#: Editors of YAML may see digits as a number, so the schema lets numbers stand for text.
_TEXT_SCHEMA: Final = {"type": ["string", "number", "boolean"]}

Text = Annotated[
    str,
    matching(re.compile(r"(?=.*\S)[^\x00]{1,2000}", re.DOTALL), "not a text", "1 to 2000 characters"),
    WithJsonSchema(_TEXT_SCHEMA),
]
#: The name of a scenario is part of the name of the run's folder.
Name = Annotated[
    str,
    matching(
        re.compile(r"\w[\w.-]{0,79}"), "not a name", "1 to 80 letters, digits, '.', '_' and '-', not '.' or '-' first"
    ),
    WithJsonSchema(_TEXT_SCHEMA),
]
#: The id of a settlement account, often its bank code (行号).
AccountId = Annotated[
    str,
    BeforeValidator(_account),
    matching(_ACCOUNT, "not an account id", "1 to 35 of A-Z a-z 0-9 . _ -"),
    WithJsonSchema({"type": ["string", "integer"], "pattern": "^[A-Za-z0-9._-]{1,35}$"}),
]
#: The sender's id of a payment.
PaymentId = Annotated[
    str,
    matching(re.compile(r"[^\s\x00-\x1f]{1,200}"), "not a payment id", "1 to 200 characters without blanks"),
    WithJsonSchema(_TEXT_SCHEMA),
]
#: A business type (业务类型): text, because banks send types the program does not know.
TypeCode = Annotated[
    str,
    matching(re.compile(r"[A-Za-z0-9]{1,35}"), "not a business type", "1 to 35 letters and digits, such as A100"),
    WithJsonSchema(_TEXT_SCHEMA),
]
Currency = Annotated[
    str,
    matching(re.compile(r"[A-Z]{3}"), "not a currency", "three capital letters, such as CNY"),
    WithJsonSchema({"type": "string", "pattern": "^[A-Z]{3}$"}),
]
#: A file beside the scenario, or with a path of its own.
FileName = Annotated[
    str,
    matching(re.compile(r"[^\x00\n]{1,1000}"), "not a file name", "a .csv or .parquet file"),
    WithJsonSchema({"type": "string"}),
]


def _switch(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if not isinstance(value, str) or value not in ("true", "false"):
        raise fault("neither true nor false", "true, false", value=shape(value))
    return value == "true"


#: On or off, written `true` or `false` and nothing else.
Switch = Annotated[bool, BeforeValidator(_switch), WithJsonSchema({"type": "boolean"})]
