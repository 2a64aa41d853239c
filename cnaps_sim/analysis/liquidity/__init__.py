"""Liquidity query (清算账户可用头寸查询): what a bank had at an instant, and what held it."""
