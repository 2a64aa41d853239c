"""Population: the accounts of the national system, by class and size.

Single-point access (法人一点接入): one settlement account per legal entity. The classes, their numbers and the sizes
are those of the rule section "volumes to calibrate on" [P]; the head-office codes named there are real, all other
codes and names are made up. A made-up code has area 0000, which no bank has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from cnaps_sim.words.bank_code import with_check_digit
from cnaps_sim.words.participant_kinds import ParticipantKind
from cnaps_sim.workload.account_rows import AccountRow, account_row
from cnaps_sim.workload.quantiles import pareto_strata
from cnaps_sim.workload.shares import largest_remainder

#: Sizes are Pareto with this exponent [P].
SIZE_EXPONENT: Final = 1.2
ACCOUNT_COUNT: Final = 320

#: Accounts per class among 320 [P], the class with the largest first: sizes fall in this order [P].
KINDS_BY_SIZE: Final = {
    ParticipantKind.STATE: 6,
    ParticipantKind.JOINT_STOCK: 12,
    ParticipantKind.POLICY: 3,
    ParticipantKind.SPECIAL: 10,
    ParticipantKind.CITY: 130,
    ParticipantKind.FOREIGN: 40,
    ParticipantKind.RURAL: 60,
    ParticipantKind.FINANCE: 59,
}

#: Real head offices: bank code (行号), Chinese name, English short name.
HEAD_OFFICES: Final = {
    ParticipantKind.STATE: (
        ("102100099996", "中国工商银行", "ICBC"),
        ("105100000017", "中国建设银行", "CCB"),
        ("103100000026", "中国农业银行", "ABC"),
        ("104100000004", "中国银行", "BOC"),
        ("403100000004", "中国邮政储蓄银行", "PSBC"),
        ("301290000007", "交通银行", "BoCom"),
    ),
    ParticipantKind.JOINT_STOCK: (
        ("308584000013", "招商银行", "CMB"),
        ("309391000011", "兴业银行", "CIB"),
        ("302100011000", "中信银行", "CITIC"),
        ("310290000013", "浦发银行", "SPDB"),
        ("305100000013", "中国民生银行", "CMBC"),
        ("303100000006", "中国光大银行", "CEB"),
        ("307584007998", "平安银行", "PAB"),
        ("304100040000", "华夏银行", "HXB"),
        ("306581000003", "广发银行", "CGB"),
    ),
    ParticipantKind.CITY: (("313100000013", "北京银行", "BOB"),),
}

#: The special participants that are known by name; their codes here are made up.
SPECIAL_NAMES: Final = (
    ("中央国债登记结算", "CCDC"),
    ("中国银联", "UnionPay"),
    ("网联清算", "NUCC"),
    ("银行间市场清算所", "SHCH"),
    ("中国外汇交易中心", "CFETS"),
    ("跨境银行间支付清算", "CIPS"),
)

#: Class digits, Chinese and English of made-up codes and names.
_MADE_UP: Final = {
    ParticipantKind.STATE: ("100", "国有大型商业银行", "State bank"),
    ParticipantKind.JOINT_STOCK: ("300", "股份制商业银行", "Joint-stock bank"),
    ParticipantKind.POLICY: ("200", "政策性银行", "Policy bank"),
    ParticipantKind.SPECIAL: ("900", "特许参与者", "Special participant"),
    ParticipantKind.CITY: ("313", "城市商业银行", "City bank"),
    ParticipantKind.FOREIGN: ("500", "外资银行", "Foreign bank"),
    ParticipantKind.RURAL: ("314", "农村金融机构", "Rural institution"),
    ParticipantKind.FINANCE: ("907", "财务公司", "Finance company"),
}


@dataclass(frozen=True, eq=False)
class Accounts:
    """The accounts of a population, largest first.

    account: bank codes (行号) of 12 digits with a right check digit
    name:    Chinese and English, `中国工商银行 / ICBC`
    kind:    class of participant
    size:    weight above 0, without unit; the smallest is about 1
    """

    account: tuple[str, ...]
    name: tuple[str, ...]
    kind: tuple[ParticipantKind, ...]
    size: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.account)


def national_accounts(count: int = ACCOUNT_COUNT, size_exponent: float = SIZE_EXPONENT) -> Accounts:
    """The national population with `count` accounts; nothing in it is drawn by chance.

    The classes keep their proportions (largest remainder). ValueError if `count` is not from 2 to 9 999 or the
    exponent is not above 0.
    """
    if not 2 <= count <= 9_999:
        raise ValueError(f"a population has from 2 to 9 999 accounts, not {count}")
    if not size_exponent > 0:
        raise ValueError(f"the exponent of the sizes must be above 0, not {size_exponent}")
    rows = [
        (*_identity(kind, number), kind)
        for kind, members in zip(KINDS_BY_SIZE, largest_remainder(count, [*KINDS_BY_SIZE.values()]), strict=True)
        for number in range(1, members + 1)
    ]
    codes, names, kinds = zip(*rows, strict=True)
    return Accounts(codes, names, kinds, pareto_strata(count, size_exponent))


def _identity(kind: ParticipantKind, number: int) -> tuple[str, str]:
    """Bank code and name of the `number`-th (from 1) participant of a class."""
    real = HEAD_OFFICES.get(kind, ())
    if number <= len(real):
        code, chinese, english = real[number - 1]
        return code, f"{chinese} / {english}"
    class_digits, chinese, english = _MADE_UP[kind]
    code = with_check_digit(f"{class_digits}0000{number:04d}")
    if kind is ParticipantKind.SPECIAL and number <= len(SPECIAL_NAMES):
        return code, " / ".join(SPECIAL_NAMES[number - 1])
    return code, f"{chinese} {number:03d} / {english} {number:03d}"


def account_rows(accounts: Accounts, balances: Sequence[int] | None = None) -> list[AccountRow]:
    """The accounts as rows of an accounts file, with opening balances in fen (0 if none are given)."""
    given = [0] * len(accounts) if balances is None else [int(balance) for balance in balances]
    rows = zip(accounts.account, given, accounts.name, accounts.kind, strict=True)
    return [account_row(account, balance, name, kind.value) for account, balance, name, kind in rows]
