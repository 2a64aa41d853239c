"""Streams: named streams of random numbers, all children of one seed.

A stream depends on the seed, the replication and its own name, never on which other streams exist or on the order
in which they are asked for. So adding one stochastic element to a scenario leaves every other one as it was, and
two scenarios with one seed draw common random numbers.
"""

from __future__ import annotations

import hashlib

import numpy as np


class Streams:
    """The random streams of one run: `streams["hvps.arrivals"]` is a `numpy.random.Generator` (PCG64).

    seed:        the scenario's seed, a whole number of 0 or more
    replication: the number of the replication in a study, from 0

    Asking for a name again returns the same generator object, so its draws go on where they stopped; `fresh`
    begins again. Draw with the methods of the generator only: functions such as `np.exp` may differ in their last
    bit from one processor to another.
    """

    def __init__(self, seed: int, replication: int = 0) -> None:
        if seed < 0 or replication < 0:
            raise ValueError("a seed and a replication are whole numbers of 0 or more")
        self.seed = seed
        self.replication = replication
        self._generators: dict[str, np.random.Generator] = {}

    def __getitem__(self, name: str) -> np.random.Generator:
        """The generator of a stream, made when it is first asked for."""
        generator = self._generators.get(name)
        return self.fresh(name) if generator is None else generator

    def fresh(self, name: str) -> np.random.Generator:
        """The stream from its beginning; from now on `streams[name]` is this new generator."""
        sequence = np.random.SeedSequence([self.seed, self.replication, _number_of(name)])
        generator = np.random.Generator(np.random.PCG64(sequence))
        self._generators[name] = generator
        return generator


def _number_of(name: str) -> int:
    """A name as a number of 64 bits: BLAKE2b, the same on every machine and in every run (`hash` is not)."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big")
