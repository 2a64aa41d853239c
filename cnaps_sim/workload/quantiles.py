"""Quantiles: the inverse normal and lognormal distribution, the same bits on every processor.

NumPy's `exp` and `log` differ in the last bit between processors, so a workload made with them could not be
reproduced elsewhere. Everything here uses only operations that IEEE 754 rounds correctly (+ - × ÷ and the square
root) and exact ones (`frexp`, `ldexp`, `rint`, comparisons), one NumPy call each, hence never a fused multiply-add.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

#: Values worked on together: they and their intermediate results stay in the processor's cache.
_BLOCK: Final = 16_384

_SQRT_HALF: Final = 0.7071067811865476
_ONE_OVER_LN2: Final = 1.4426950408889634
#: ln 2 in two parts: the first has so few bits that its product with any exponent is exact.
_LN2_HIGH: Final = 6.93145751953125e-1
_LN2_LOW: Final = 1.42860682030941723212e-6
#: atanh series 1/21, 1/19, … 1/3: s² stays below 0.0295, so what is left out is below 2e-17.
_LOG_SERIES: Final = tuple(1.0 / odd for odd in range(21, 1, -2))
#: Taylor series 1/13!, 1/12!, … 1/0!: |r| stays below 0.3466, so what is left out is below 5e-18.
_FACTORIALS: Final = (6227020800, 479001600, 39916800, 3628800, 362880, 40320, 5040, 720, 120, 24, 6, 2, 1, 1)
_EXP_SERIES: Final = tuple(1.0 / factorial for factorial in _FACTORIALS)

# Algorithm AS 241, routine PPND16: numerators and denominators, highest power first.
_CENTRE: Final = (
    (
        2.5090809287301226727e3,
        3.3430575583588128105e4,
        6.7265770927008700853e4,
        4.5921953931549871457e4,
        1.3731693765509461125e4,
        1.9715909503065514427e3,
        1.3314166789178437745e2,
        3.3871328727963666080e0,
    ),
    (
        5.2264952788528545610e3,
        2.8729085735721942674e4,
        3.9307895800092710610e4,
        2.1213794301586595867e4,
        5.3941960214247511077e3,
        6.8718700749205790830e2,
        4.2313330701600911252e1,
        1.0,
    ),
)
_TAIL: Final = (
    (
        7.74545014278341407640e-4,
        2.27238449892691845833e-2,
        2.41780725177450611770e-1,
        1.27045825245236838258e0,
        3.64784832476320460504e0,
        5.76949722146069140550e0,
        4.63033784615654529590e0,
        1.42343711074968357734e0,
    ),
    (
        1.05075007164441684324e-9,
        5.47593808499534494600e-4,
        1.51986665636164571966e-2,
        1.48103976427480074590e-1,
        6.89767334985100004550e-1,
        1.67638483018380384940e0,
        2.05319162663775882187e0,
        1.0,
    ),
)
_FAR_TAIL: Final = (
    (
        2.01033439929228813265e-7,
        2.71155556874348757815e-5,
        1.24266094738807843860e-3,
        2.65321895265761230930e-2,
        2.96560571828504891230e-1,
        1.78482653991729133580e0,
        5.46378491116411436990e0,
        6.65790464350110377720e0,
    ),
    (
        2.04426310338993978564e-15,
        1.42151175831644588870e-7,
        1.84631831751005468180e-5,
        7.86869131145613259100e-4,
        1.48753612908506148525e-2,
        1.36929880922735805310e-1,
        5.99832206555887937690e-1,
        1.0,
    ),
)


def natural_log(values: npt.ArrayLike) -> Floats:
    """ln of positive, normal numbers, to about one unit in the last place."""
    return _blockwise(_natural_log, values)


def exponential(values: npt.ArrayLike) -> Floats:
    """e to the power of numbers between -700 and 700, to about one unit in the last place."""
    return _blockwise(_exponential, values)


def normal_quantile(probabilities: npt.ArrayLike) -> Floats:
    """The inverse of the standard normal distribution, for probabilities above 0 and below 1.

    Reference: M. J. Wichura (1988), Algorithm AS 241: the percentage points of the normal distribution,
    Applied Statistics 37(3), routine PPND16; about 1e-16 relative.
    """
    return _blockwise(_normal_quantile, probabilities)


def lognormal_strata(count: int, median: float, sigma: float, rng: np.random.Generator) -> Floats:
    """One value of a lognormal distribution from each of `count` equally likely strata, in rising order.

    The k-th value is the quantile at (k + u) / count with u uniform: an honest sample of heavy-tailed amounts
    misses its mean by a percent, a stratified one does not.
    """
    probabilities = (np.arange(count, dtype=np.float64) + rng.random(count)) / max(count, 1)
    # u may be exactly 0, and rounding may reach 1: neither has a quantile.
    np.clip(probabilities, 1e-300, 1.0 - 2.0**-53, out=probabilities)
    return _blockwise(lambda block: _exponential(sigma * _normal_quantile(block)) * median, probabilities)


def pareto_strata(count: int, exponent: float) -> Floats:
    """The quantiles of a Pareto distribution with minimum 1 in the middle of `count` strata, largest first."""
    tails = (np.arange(count, dtype=np.float64) + 0.5) / max(count, 1)
    return exponential(natural_log(tails) / -exponent)


def _blockwise(function: Callable[[Floats], Floats], values: npt.ArrayLike) -> Floats:
    given = np.asarray(values, dtype=np.float64)
    flat = given.reshape(-1)
    result = np.empty_like(flat)
    for first in range(0, flat.size, _BLOCK):
        result[first : first + _BLOCK] = function(flat[first : first + _BLOCK])
    return result.reshape(given.shape)


def _polynomial(x: Floats, coefficients: tuple[float, ...]) -> Floats:
    """Horner's scheme, each product and each sum rounded on its own."""
    result = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        result *= x
        result += coefficient
    return result


def _natural_log(x: Floats) -> Floats:
    mantissa, exponent = np.frexp(x)
    low = mantissa < _SQRT_HALF
    mantissa = np.where(low, mantissa * 2.0, mantissa)
    power = (exponent - low).astype(np.float64)
    s = (mantissa - 1.0) / (mantissa + 1.0)
    square = s * s
    series = _polynomial(square, _LOG_SERIES) * square
    small = power * _LN2_LOW + series * s * 2.0
    return (small + s * 2.0) + power * _LN2_HIGH


def _exponential(x: Floats) -> Floats:
    power = np.rint(x * _ONE_OVER_LN2)
    rest = (x - power * _LN2_HIGH) - power * _LN2_LOW
    return np.ldexp(_polynomial(rest, _EXP_SERIES), power.astype(np.int32))


def _normal_quantile(p: Floats) -> Floats:
    q = p - 0.5
    result = np.empty_like(q)
    centre = np.abs(q) <= 0.425
    middle = q[centre]
    result[centre] = _ratio(0.180625 - middle * middle, _CENTRE) * middle
    outside = ~centre
    if outside.any():
        outer = p[outside]
        radius = np.sqrt(-_natural_log(np.minimum(outer, 1.0 - outer)))
        distance = np.where(radius <= 5.0, _ratio(radius - 1.6, _TAIL), _ratio(radius - 5.0, _FAR_TAIL))
        result[outside] = np.where(outer < 0.5, -distance, distance)
    return result


def _ratio(x: Floats, parts: tuple[tuple[float, ...], tuple[float, ...]]) -> Floats:
    return _polynomial(x, parts[0]) / _polynomial(x, parts[1])
