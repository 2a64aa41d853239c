"""Analysis: what a run's tables say. Metrics compute, plots draw what a metric returned, the report gathers both.

`metrics` are functions of result tables, `plots` draw them, `report` writes one HTML file, `explain` tells the
story of one payment. Nothing here changes a run.
"""
