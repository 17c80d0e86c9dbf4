"""Backward passes on several threads at once."""

from __future__ import annotations

import threading


def run_together(work, count):
    """Run *work* on *count* threads that start together; return the exceptions they raised."""
    barrier, errors = threading.Barrier(count), []

    def run(number):
        barrier.wait()
        try:
            work(number)
        except RuntimeError as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def test_passes_of_several_threads_add_up_exactly(lib):
    x = lib.zeros(4, requires_grad=True)
    graphs = [[(x * 1).sum() for _ in range(50)] for _ in range(8)]

    def work(number):
        for loss in graphs[number]:
            loss.backward()

    assert run_together(work, 8) == []
    assert x.grad.tolist() == [400.0] * 4


def test_second_thread_to_walk_a_freed_graph_is_told(lib):
    x = lib.ones(4, requires_grad=True)
    y = x.exp().sum()
    y.backward()
    errors = run_together(lambda number: y.backward(), 4)

    assert len(errors) == 4
    assert all(
        str(error).startswith("Trying to backward through the graph a second time")
        for error in errors
    )


def test_mode_of_one_thread_is_not_that_of_another(lib):
    x = lib.ones(1, requires_grad=True)
    found = {}

    def work(number):
        if number:
            with lib.no_grad():
                found[number] = [(x * 2).requires_grad for _ in range(200)]
        else:
            found[number] = [(x * 2).requires_grad for _ in range(200)]

    run_together(work, 2)

    assert found == {0: [True] * 200, 1: [False] * 200}
