"""Workers: the runs of a study on this machine's cores or on a Dask cluster. The results are the same whichever way.

Processes of this machine are started anew (spawn) and never import the script that asked for them, so that a plain
script needs no `__main__` guard.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import types
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import connection
from typing import Any, Final

from cnaps_sim.run.sweep_plan import Plan
from cnaps_sim.run.sweep_play import Played, Player, play_batch
from cnaps_sim.run.world import Progress
from cnaps_sim.words.errors import CnapsError, InputError

#: Seconds in which a scheduler has to answer.
PATIENCE_S: Final = 15
_INSTALL: Final = "a Python with it: pip install 'cnaps-sim[dask]'"


def usual_workers(runs: int) -> int:
    """Workers if nobody says how many: all cores, but none without work."""
    return max(1, min(os.cpu_count() or 1, runs))


def here(plan: Plan, runs: Sequence[int], workers: int, look: Progress | None = None) -> Iterator[Played]:
    """Play runs on this machine; yields each as it is finished. With one worker no process is started.

    look: called now and then while this process itself plays; it may raise
    """
    if workers == 1:
        player = Player(plan, look)
        for batch in plan.batches(runs, 1):
            for run in batch:
                yield player.play(run)
        return
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_begin)
    try:
        with _no_main():
            started = [pool.submit(play_batch, plan, batch) for batch in plan.batches(runs, workers)]
        for finished in as_completed(started):
            yield from finished.result()
    except BrokenProcessPool:
        raise CnapsError("a worker process ended before its runs were done; perhaps memory ran out") from None
    finally:
        pool.shutdown(cancel_futures=True)


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


def on_cluster(plan: Plan, runs: Sequence[int], address: str) -> Iterator[Played]:
    """Play runs on the Dask cluster whose scheduler is at `address`; yields each as it is finished.

    Its workers need this package in the same version, and the scenario's files at the same paths. InputError if the
    scheduler cannot be reached or has no workers.
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
            client.submit(play_batch, told, batch, pure=False, retries=2) for batch in plan.batches(runs, threads)
        ]
        for finished in distributed.as_completed(started, loop=client.loop):
            yield from finished.result()
            finished.release()
    finally:
        client.close()


def _connected(distributed: Any, address: str) -> Any:
    try:
        return distributed.Client(address, timeout=PATIENCE_S, set_as_default=False)
    except (OSError, ValueError, TypeError, TimeoutError) as error:
        reason = " ".join(str(error).split())[:80] or type(error).__name__
        problem = f"cannot be reached ({reason})"
        raise InputError("scheduler", "", problem, address, "such as tcp://127.0.0.1:8786") from None
