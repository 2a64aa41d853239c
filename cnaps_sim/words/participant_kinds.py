"""Kinds of participant (参与者类别)."""

from __future__ import annotations

from enum import StrEnum


class ParticipantKind(StrEnum):
    """Classes of participant with an account of its own."""

    STATE = "state"  # 国有大型商业银行
    POLICY = "policy"  # 政策性银行
    JOINT_STOCK = "joint-stock"  # 股份制商业银行
    CITY = "city"  # 城市商业银行
    RURAL = "rural"  # 农村金融机构
    FOREIGN = "foreign"  # 外资银行
    FINANCE = "finance"  # 财务公司
    SPECIAL = "special"  # 特许参与者
    CENTRAL_BANK = "central-bank"  # 中国人民银行
