"""Bytes in flight."""

import threading

from relight_assets.engine.worker.memory_budget import ByteBudget


def test_whoever_asks_for_more_than_is_free_waits_until_it_is_given_back() -> None:
    budget = ByteBudget(100)
    first = budget.acquire(60)
    passed = threading.Event()
    waiter = threading.Thread(target=lambda: (budget.acquire(50), passed.set()))
    waiter.start()
    assert not passed.wait(0.1)
    budget.release(first)
    assert passed.wait(10)
    waiter.join()


def test_what_is_larger_than_the_whole_budget_has_it_alone() -> None:
    budget = ByteBudget(100)
    taken = budget.acquire(10_000)
    assert taken == 100
    passed = threading.Event()
    waiter = threading.Thread(target=lambda: (budget.acquire(1), passed.set()))
    waiter.start()
    assert not passed.wait(0.1)
    budget.release(taken)
    assert passed.wait(10)
    waiter.join()


def test_small_ones_do_not_overtake_a_large_one_that_waits() -> None:
    budget = ByteBudget(100)
    held = budget.acquire(50)
    order: list[str] = []

    def ask(name: str, size: int) -> None:
        taken = budget.acquire(size)
        order.append(name)
        budget.release(taken)

    large = threading.Thread(target=ask, args=("large", 90))
    large.start()
    while not budget._turn.locked():
        pass
    small = threading.Thread(target=ask, args=("small", 10))
    small.start()
    assert order == []
    budget.release(held)
    large.join(10)
    small.join(10)
    assert order == ["large", "small"]


def test_nobody_waits_any_more_once_it_is_closed() -> None:
    budget = ByteBudget(10)
    budget.acquire(10)
    waiter = threading.Thread(target=budget.acquire, args=(10,))
    waiter.start()
    budget.close()
    waiter.join(10)
    assert not waiter.is_alive()
