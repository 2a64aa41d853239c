"""Workload: where payments come from.

* `flow`       a stream of payments sorted by time, as columns
* `population` the accounts of the national system, by class and size
* `synthetic`  a day of HVPS (大额支付系统) calibrated on published volumes; `network`, `profile` and `quantiles`
               are its parts: who pays whom, when, and how much; `shares` and `ids` help them
* `opening`    opening balances as a share of a day's outflow
* `replay`     payments and accounts from CSV and Parquet files, data frames and lists; `sheet`,
               `csv_text`, `columns`, `payment_cells` and `account_rows` are its parts

BEPS (小额) and IBPS (网银) come in chunks of five minutes, because nobody can keep 61 million items:

* `retail_chunk`  a chunk, and what every stream of chunks can do
* `retail_stream` generated days; `retail_terms` (what shapes them), `retail_counts`, `retail_hours`,
                  `retail_amounts`, `retail_alias`, `retail_draw` (the compiled loop) and `retail_ids` are its parts
* `retail_replay` recorded items; `retail_items` (files and lists), `retail_units` (packages and replies) and
                  `retail_clients` (lines of indirect participants) are its parts
* `retail_merge`  several streams as one; `retail_stops` a stream some of whose units are stopped
"""
