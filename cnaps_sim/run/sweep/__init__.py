"""Sweep: the plan of a study, its runs on workers, what is measured of each, and the folder that keeps it."""
