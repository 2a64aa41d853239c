"""Business types (业务类型): what a payment is for, and what a special session takes."""

from __future__ import annotations

from enum import Enum


class BusinessType(Enum):
    """Business types (业务类型): code, English, Chinese. Codes in capitals with digits are the public ones."""

    ORDINARY = ("A100", "ordinary credit transfer", "普通汇兑")
    WELFARE = ("A101", "public welfare transfer", "公益性资金汇划")
    TREASURY_REMITTANCE = ("A102", "treasury remittance", "国库汇款")
    SAME_CITY_NET = ("A103", "same-city net", "同城轧差净额清算")
    TREASURY = ("A104", "treasury credit transfer", "国库资金贷记划拨")
    RETURN = ("A105", "return of a transfer", "退汇")
    FOREIGN_EXCHANGE = ("A112", "foreign exchange clearing", "外汇清算")
    CROSS_BORDER = ("A113", "cross-border payment", "跨境支付")
    CENTRAL_BANK_LOAN = ("A115", "central-bank loan", "再贷款")
    INTERBANK = ("A200", "interbank transfer", "行间资金汇划")
    OPEN_MARKET = ("G101", "open-market operation", "公开市场交易结算")
    BOND = ("G102", "bond trade (DvP cash leg)", "债券市场交易结算")
    CARD_NET = ("G104", "bank card net", "银行卡轧差净额")
    COMMERCIAL_DRAFT = ("G105", "electronic commercial draft", "电子商业汇票资金清算")
    FX_MARKET = ("G106", "foreign exchange market settlement", "外汇交易市场结算")
    FUND_POOL = ("G107", "fund pool settlement", "资金池结算")
    AUTOMATIC_LOAN = ("G108", "automatic interbank loan", "日终自动拆借")
    PLEDGE_FINANCING = ("G109", "pledge financing", "质押融资")
    OTHER_NET = ("H012", "net of another system", "其他系统轧差净额")
    CIPS_FUNDING = ("CIPS", "funding of CIPS", "CIPS 注资")  # modelling code
    INTERBANK_LENDING = ("LEND", "interbank lending", "同业拆借")  # modelling code
    ROUND_NET = ("NETS", "round net of BEPS and IBPS", "小额网银轧差净额")  # modelling code
    REVERSAL = ("RVSL", "reversal of a booking error", "错账冲正")  # modelling code
    INTEREST = ("INTR", "intraday overdraft interest", "日间透支计息")  # modelling code
    FEE = ("FEES", "fees of the payment system", "汇划费用")  # modelling code
    ONE_SIDED = ("UNIL", "one-sided central-bank business", "单边业务")  # modelling code

    def __init__(self, code: str, english: str, chinese: str) -> None:
        self.code = code
        self.english = english
        self.chinese = chinese


#: The only business a special session takes: CIPS funding and interbank lending.
SPECIAL_SESSION_TYPES = frozenset({BusinessType.CIPS_FUNDING.code, BusinessType.INTERBANK_LENDING.code})
