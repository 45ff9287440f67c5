"""Work in a few threads: the same results in the same order, told in the caller's thread, and an error ends it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

import pytest

from fuller_popheath.risk.side_by_side import side_by_side

Say = Callable[[str], None]


def squares(number: int) -> Callable[[Say], int]:
    def work(say: Say) -> int:
        say(f"{number} by itself")
        return number * number

    return work


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_results_come_in_the_order_of_the_jobs(workers: int) -> None:
    heard: list[tuple[str, int]] = []
    made = side_by_side([squares(n) for n in range(9)], workers, lambda text: heard.append((text, threading.get_ident())))
    assert made == [n * n for n in range(9)]
    assert sorted(text for text, _ in heard) == [f"{n} by itself" for n in range(9)]
    assert {thread for _, thread in heard} == {threading.get_ident()}, "the caller's own thread tells it"


def test_two_are_at_work_at_a_time() -> None:
    met = threading.Barrier(2, timeout=30)
    assert side_by_side([lambda _: met.wait() >= 0, lambda _: met.wait() >= 0], 2, lambda _: None) == [True, True]


def test_the_first_error_is_raised_and_what_waits_is_not_begun() -> None:
    begun: list[int] = []

    def work(number: int) -> Callable[[Say], None]:
        def run(say: Say) -> None:
            begun.append(number)
            if number == 0:
                raise KeyError("the first")
            threading.Event().wait(0.02)

        return run

    turn = sys.getswitchinterval()
    with pytest.raises(KeyError, match="the first"):
        side_by_side([work(n) for n in range(200)], 2, lambda _: None)
    assert len(begun) < 200
    assert sys.getswitchinterval() == turn
