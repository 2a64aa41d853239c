"""The inverse distributions agree with the library to the last bits, and use portable arithmetic only."""

from __future__ import annotations

import ast
import inspect
import os
import subprocess
import sys

import numpy as np
import numpy.typing as npt
import pytest
from numpy._core._multiarray_umath import __cpu_dispatch__
from scipy import stats

from cnaps_sim.workload import quantiles
from cnaps_sim.workload.quantiles import exponential, lognormal_strata, natural_log, normal_quantile, pareto_strata


def test_the_logarithm_agrees_with_the_library() -> None:
    x = np.concatenate((np.geomspace(1e-300, 1e300, 20_001), np.linspace(0.5, 2, 20_001)))
    assert natural_log(x) == pytest.approx(np.log(x), rel=5e-16, abs=1e-17)


def test_the_exponential_agrees_with_the_library() -> None:
    x = np.linspace(-700, 700, 40_001)
    assert exponential(x) == pytest.approx(np.exp(x), rel=5e-16)


def test_logarithm_and_exponential_are_exact_where_the_answer_is() -> None:
    assert natural_log([1.0]).tolist() == [0.0]
    assert exponential([0.0]).tolist() == [1.0]


def test_the_normal_quantile_agrees_with_the_library_in_the_centre_and_both_tails() -> None:
    p = np.concatenate(
        (np.linspace(0.001, 0.999, 9_999), np.geomspace(1e-300, 1e-3, 3_001), 1 - np.geomspace(1e-15, 1e-3))
    )
    assert normal_quantile(p) == pytest.approx(stats.norm.ppf(p), rel=1e-14, abs=1e-15)


def test_the_normal_quantile_keeps_the_shape_of_its_argument() -> None:
    p = np.array([[0.1, 0.5, 0.9], [0.2, 0.5, 0.8]])
    assert normal_quantile(p).shape == (2, 3)
    assert normal_quantile(p)[:, 1].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("count", [1, 7, 20_000])
def test_strata_hold_one_value_each(count: int) -> None:
    values = lognormal_strata(count, 150_000.0, 2.2, np.random.default_rng(1))
    ranks = stats.lognorm.cdf(values, 2.2, scale=150_000.0) * count
    assert np.floor(ranks).astype(int).tolist() == list(range(count))


def test_a_stratified_sample_hits_its_mean_where_an_honest_one_misses() -> None:
    mean = 40e6 * np.exp(1.6**2 / 2)
    stratified = [lognormal_strata(20_000, 40e6, 1.6, np.random.default_rng(seed)).mean() for seed in range(5)]
    honest = [np.random.default_rng(seed).lognormal(np.log(40e6), 1.6, 20_000).mean() for seed in range(5)]
    assert np.std(stratified) < np.std(honest) / 3
    assert stratified == pytest.approx([mean] * 5, rel=0.02)


def test_no_stratum_is_asked_for_no_value() -> None:
    assert len(lognormal_strata(0, 1.0, 1.0, np.random.default_rng(1))) == 0


def test_a_stratum_at_the_very_edge_still_has_a_value() -> None:
    class Edge:
        def random(self, count: int) -> npt.NDArray[np.float64]:
            return np.zeros(count)

    assert np.isfinite(lognormal_strata(3, 1.0, 2.0, Edge())).all()  # type: ignore[arg-type]


def test_pareto_strata_fall_and_follow_their_exponent() -> None:
    sizes = pareto_strata(320, 1.2)
    middles = (np.arange(320) + 0.5) / 320
    assert sizes == pytest.approx(stats.pareto.isf(middles, 1.2), rel=1e-13)
    assert (np.diff(sizes) < 0).all()


def test_no_function_whose_last_bit_depends_on_the_processor_is_called() -> None:
    tree = ast.parse(inspect.getsource(quantiles))
    called = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "np"
    }
    assert called.isdisjoint(
        {"exp", "log", "log1p", "expm1", "power", "float_power", "dot", "matmul", "einsum", "polyval"}
    )


DIGEST = """
import hashlib
import numpy as np
from cnaps_sim.workload.quantiles import lognormal_strata
print(hashlib.sha256(lognormal_strata(20_000, 150_000.0, 2.2, np.random.default_rng(1)).tobytes()).hexdigest())
"""


def test_amounts_have_the_same_bits_without_the_vector_instructions_of_this_processor() -> None:
    """NumPy picks its loops by what the processor can do; here it is told to use none of that."""
    base = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path))
    plain = dict(base, NPY_DISABLE_CPU_FEATURES=" ".join(__cpu_dispatch__))
    digests = [
        subprocess.run([sys.executable, "-W", "ignore", "-c", DIGEST], env=env, capture_output=True, check=True).stdout
        for env in (base, plain)
    ]
    assert digests[0] == digests[1]
    assert len(digests[0]) > 64
