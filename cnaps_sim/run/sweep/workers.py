"""Workers: the runs of a study on this machine's cores or on a Dask cluster. The results are the same whichever way.

Processes of this machine are started anew (spawn) and never import the script that asked for them, so that a plain
script needs no `__main__` guard.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sys
import threading
import time
import types
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import connection
from typing import Any, Final

from cnaps_sim.run.sweep.own import Own
from cnaps_sim.run.sweep.plan import Plan
from cnaps_sim.run.sweep.play import Played, Player, play_batch
from cnaps_sim.run.world import Progress
from cnaps_sim.words.errors import CnapsError, InputError

#: Seconds in which a scheduler has to answer.
PATIENCE_S: Final = 15
#: Seconds of work from which on processes are worth what it takes to start them.
WORTH_S: Final = 3.0
_INSTALL: Final = "a Python with it: pip install 'cnaps-sim[dask]'"


def usual_workers(runs: int) -> int:
    """Workers if nobody says how many: all cores, but none without work."""
    return max(1, min(os.cpu_count() or 1, runs))


def here(
    plan: Plan, runs: Sequence[int], workers: int, look: Progress | None = None, own: Own | None = None
) -> Iterator[Played]:
    """Play runs on this machine; yields each as it is finished. With one worker no process is started.

    look: called now and then while this process itself plays; it may raise
    own: the researcher's own measures of the plan
    """
    if workers == 1:
        player = Player(plan, look, own)
        for run in _in_order(plan, runs):
            yield player.play(run)
        return
    processes = _Processes(plan, own)
    try:
        processes.start(runs, workers)
        yield from processes.played()
    finally:
        processes.close()


def as_worth(plan: Plan, runs: Sequence[int], look: Progress | None = None, own: Own | None = None) -> Iterator[Played]:
    """Play runs on this machine; yields each as it is finished. Processes are started if they would save time.

    This process plays the first runs. It hands over the others when those it has played say that they would take it
    more than `WORTH_S`, or when a single one takes longer than that. What comes out depends on neither. The first run
    loads the rules of the books, or compiles them, before it looks for the first time: that says nothing of the others.
    """
    if usual_workers(len(runs)) == 1:
        yield from here(plan, runs, 1, look, own)
        return
    processes = _Processes(plan, own)
    left = deque(_in_order(plan, runs))
    began: float | None = None

    def hand_over() -> None:
        rest = list(left)
        left.clear()
        processes.start(rest, usual_workers(len(rest)))

    def watch(time_ms: int, payments: int) -> None:
        nonlocal began
        if look is not None:
            look(time_ms, payments)
        if began is None:
            began = time.perf_counter()
        elif left and time.perf_counter() - began > WORTH_S:
            hand_over()

    player = Player(plan, watch, own)
    spent: list[float] = []
    try:
        while left:
            played = player.play(left.popleft())
            if began is not None:
                spent.append(time.perf_counter() - began)
            usual = sum(spent[1:]) / max(1, len(spent) - 1)
            if len(left) > 1 and usual * len(left) > WORTH_S:
                hand_over()
            yield played
            began = time.perf_counter()
        yield from processes.played()
    finally:
        processes.close()


def _in_order(plan: Plan, runs: Sequence[int]) -> list[int]:
    """Runs in the order in which one player plays them best."""
    return [run for batch in plan.batches(runs, 1) for run in batch]


class _Processes:
    """Processes of this machine that play runs of a plan."""

    def __init__(self, plan: Plan, own: Own | None) -> None:
        self._plan = plan
        self._own = own
        self._pool: ProcessPoolExecutor | None = None
        self._started: list[Future[list[Played]]] = []

    def start(self, runs: Sequence[int], workers: int) -> None:
        """Start processes, and the runs on them."""
        pool = self._pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_begin)
        with _no_main():
            batches = self._plan.batches(runs, workers)
            self._started = [pool.submit(play_batch, self._plan, batch, self._own) for batch in batches]

    def played(self) -> Iterator[Played]:
        """What has been started, each run as it is finished. CnapsError if a process ends before its time."""
        try:
            for finished in as_completed(self._started):
                yield from finished.result()
        except BrokenProcessPool:
            raise CnapsError("a worker process ended before its runs were done; perhaps memory ran out") from None

    def close(self) -> None:
        """Stop what has not begun."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)


@contextmanager
def _no_main() -> Iterator[None]:
    """Inside, a process that is started imports no script: it would begin a sweep of its own."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _begin() -> None:
    """A worker ends when the process that started it does, and leaves interrupts to it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)


def on_cluster(plan: Plan, runs: Sequence[int], address: str, own: Own | None = None) -> Iterator[Played]:
    """Play runs on the Dask cluster whose scheduler is at `address`; yields each as it is finished.

    Its workers need this package in the same version, and the scenario's files at the same paths, and can
    import the researcher's own measures. InputError if the scheduler cannot be reached or has no workers.
    """
    try:
        import distributed
    except ImportError:
        raise InputError("scheduler", "", "needs the package distributed", "", _INSTALL) from None
    client = _connected(distributed, address)
    try:
        threads = sum(client.nthreads().values())
        if not threads:
            problem = "the scheduler has no workers"
            raise InputError("scheduler", "", problem, address, f"after `dask worker {address}`")
        told = client.scatter(plan, broadcast=True, hash=False)
        started = [
            client.submit(play_batch, told, batch, own, pure=False, retries=2) for batch in plan.batches(runs, threads)
        ]
        for finished in distributed.as_completed(started, loop=client.loop):
            yield from finished.result()
            finished.release()
    finally:
        client.close()


def _connected(distributed: Any, address: str) -> Any:
    try:
        _ask(distributed, address)  # first: a client that is only half made would go on waiting when it is dropped
        return distributed.Client(address, timeout=PATIENCE_S, set_as_default=False)
    except (OSError, ValueError, TypeError, TimeoutError) as error:
        reason = " ".join(str(error).split())[:80] or f"no answer in {PATIENCE_S} s"
        problem = f"cannot be reached ({reason})"
        raise InputError("scheduler", "", problem, address, "such as tcp://127.0.0.1:8786") from None


def _ask(distributed: Any, address: str) -> None:
    """Ask whoever is at an address for its kind. OSError or ValueError if it is no scheduler, or says nothing."""
    terms = distributed.Security().get_connection_args("client")

    async def asked() -> Any:
        async with distributed.rpc(address, timeout=PATIENCE_S, connection_args=terms) as other:
            return await other.identity()

    with ThreadPoolExecutor(1) as beside:  # a notebook has a loop of its own in this thread
        found = beside.submit(lambda: asyncio.run(asyncio.wait_for(asked(), PATIENCE_S))).result()
    if found["type"] != "Scheduler":
        raise ValueError(f"it is a {str(found['type']).lower()}, no scheduler")
