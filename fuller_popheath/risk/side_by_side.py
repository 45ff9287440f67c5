"""Independent work in a few threads, each on one core: two fits side by side are done sooner than one after the other on two cores.

Threads and not processes, because all read the same large tables, and what takes time lets others run. What comes out does not depend on how many
there are. What does not belong here: what the work is.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import TypeVar

_COMPLAINT = "should be used with `sklearn.utils.parallel.Parallel`"

Say = Callable[[str], None]
Made = TypeVar("Made")

_TICK = 0.2
"""Seconds between two looks at what was said."""

_TURN = 1e-4
"""Seconds for which a thread may keep the interpreter while another waits: a fit asks for it thousands of times, for a moment each."""


def side_by_side(jobs: Sequence[Callable[[Say], Made]], workers: int, say: Say) -> list[Made]:
    """What each job returns, in their order; at most `workers` at a time, started in their order.

    A job is given a function to say something with, which is told by `say` in the caller's own thread. The first error of the first job that
    has one is raised when those at work have ended; no other is started then.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    if workers == 1 or len(jobs) == 1:
        return [job(say) for job in jobs]
    said: SimpleQueue[str] = SimpleQueue()
    with threadpool_limits(1), _short_turns(), _own_warnings(), ThreadPoolExecutor(workers, initializer=_one_core) as pool:
        waiting = [pool.submit(job, said.put) for job in jobs]
        for each in waiting:
            try:
                _wait(each, said, say)
                each.result()
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise
    _tell(said, say)
    return [each.result() for each in waiting]


@contextmanager
def _short_turns() -> Iterator[None]:
    usual = sys.getswitchinterval()
    sys.setswitchinterval(_TURN)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


@contextmanager
def _own_warnings() -> Iterator[None]:
    """Filters of warnings are the whole process's, and scikit-learn changes them in each thread: they are put back, and what was warned is told
    afterwards, but for its complaint of finding them changed."""
    with warnings.catch_warnings(record=True) as caught:
        yield
    for each in caught:
        if _COMPLAINT not in str(each.message):
            warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)


def _one_core() -> None:
    """OpenMP keeps its number of threads for each thread that starts some."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(1, user_api="openmp")


def _wait(job: Future[Made], said: SimpleQueue[str], say: Say) -> None:
    while not job.done():
        _tell(said, say, _TICK)
    _tell(said, say)


def _tell(said: SimpleQueue[str], say: Say, patience: float | None = None) -> None:
    """Tells everything that was said so far; waits so long for the first."""
    try:
        while True:
            say(said.get(patience is not None, patience))
            patience = None
    except Empty:
        return
