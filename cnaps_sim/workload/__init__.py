"""Workload: where payments come from.

* `flow`       a stream of payments sorted by time, as columns
* `population` the accounts of the national system, by class and size
* `synthetic`  a day of HVPS (大额支付系统) calibrated on published volumes; `network`, `profile` and `quantiles`
               are its parts: who pays whom, when, and how much; `shares` and `ids` help them
* `opening`    opening balances as a share of a day's outflow
* `replay`     payments and accounts from CSV and Parquet files, data frames and lists; `sheet`,
               `csv_text`, `columns` and `account_rows` are its parts
"""
