"""Shares: a whole number divided in given proportions, exactly."""

from __future__ import annotations

from collections.abc import Sequence


def largest_remainder(total: int, weights: Sequence[int]) -> list[int]:
    """`total` divided in proportion to whole-number `weights`; the parts add up to `total`.

    Each part is rounded down, then the largest remainders get one more each; of equal remainders the earlier one
    (Hare-Niemeyer). ValueError if no weight is above 0.
    """
    whole = sum(weights)
    if whole <= 0 or min(weights) < 0 or total < 0:
        raise ValueError("shares need a total and weights of 0 or more, and one weight above 0")
    parts = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: -(total * weights[i] % whole))
    for i in by_remainder[: total - sum(parts)]:
        parts[i] += 1
    return parts
