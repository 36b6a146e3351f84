"""Ctrl-C within a long op: it ends early with KeyboardInterrupt, and what it was computing is gone, not half there."""

from __future__ import annotations

import child
import pytest


def press_in_a_forward_pass(threads: int) -> None:
    """Without an end before its time the convolution would compute for minutes."""
    import os
    import signal
    import threading

    import numpy as np

    import pyneural as pn

    pn.set_threads(threads)
    images, weight = np.zeros((1, 3000, 3000, 1), "float32"), np.zeros((1000, 1000, 1, 4), "float32")
    live = pn._core.memory_stats()["live_bytes"]
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        pn.ops.conv2d(images, weight)
    except KeyboardInterrupt as error:
        print(error)
    assert pn._core.memory_stats()["live_bytes"] == live


def press_in_a_backward_pass(threads: int) -> None:
    """Without an end before its time the sweep would compute for some seconds."""
    import os
    import signal
    import threading

    import numpy as np

    import pyneural as pn

    pn.set_threads(threads)
    live = pn._core.memory_stats()["live_bytes"]
    weight = pn.tensor(np.zeros((3000, 3000), "float32"), requires_grad=True)
    y = weight
    for _ in range(5):
        y = pn.ops.matmul(y, weight)
    threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        y.sum().backward()
    except KeyboardInterrupt as error:
        print(error)
    (weight * 2.0).sum().backward()
    assert (weight.grad.numpy() == 2).all()
    del weight, y
    assert pn._core.memory_stats()["live_bytes"] == live


@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_ends_a_forward_pass(threads: int) -> None:
    assert child.run(press_in_a_forward_pass, threads) == "conv2d: interrupted\n"


@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_ends_a_backward_pass(threads: int) -> None:
    assert child.run(press_in_a_backward_pass, threads) == "backward: interrupted\n"


def press_with_a_handler_of_ones_own() -> None:
    import os
    import signal
    import threading

    import numpy as np

    import pyneural as pn

    pressed = []
    signal.signal(signal.SIGINT, lambda *_: pressed.append(True))
    x = np.full((4000, 4000), 0.5, "float32")
    want = pn.ops.matmul(x, x).numpy()
    threading.Timer(0.02, os.kill, (os.getpid(), signal.SIGINT)).start()
    while not pressed:
        assert (pn.ops.matmul(x, x).numpy() == want).all()


def test_another_handler_has_its_say_once_the_op_is_done() -> None:
    child.run(press_with_a_handler_of_ones_own)


def press_while_another_thread_computes() -> None:
    import os
    import signal
    import threading
    import time

    import numpy as np

    import pyneural as pn

    x = np.ones((1200, 1200), "float32")
    results = []
    worker = threading.Thread(target=lambda: results.extend(pn.ops.matmul(x, x) for _ in range(20)))
    worker.start()
    try:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(60)
    except KeyboardInterrupt:
        print("main")
    worker.join()
    assert all((y.numpy() == 1200).all() for y in results)
    assert len(results) == 20


def test_other_threads_compute_to_the_end() -> None:
    assert child.run(press_while_another_thread_computes) == "main\n"


def press_with_a_wakeup_descriptor() -> None:
    """The op takes a second or more, so that it asks several times whether to end."""
    import os
    import signal
    import socket
    import threading

    import numpy as np

    import pyneural as pn

    pn.set_threads(1)
    pressed = []
    signal.signal(signal.SIGINT, lambda *_: pressed.append(True))
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    signal.set_wakeup_fd(writer.fileno())
    x = np.full((4000, 4000), 0.5, "float32")
    threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
    while not pressed:
        pn.ops.matmul(x, x)
    assert pressed == [True]
    assert reader.recv(100) == bytes([signal.SIGINT])
    signal.set_wakeup_fd(-1)
    reader.close()
    writer.close()


def test_a_press_is_told_once_to_who_waits_for_signals() -> None:
    child.run(press_with_a_wakeup_descriptor)


def press_twice_in_an_op() -> None:
    """Without an end before its time the convolution would compute for minutes, and nothing note the first press."""
    import os
    import signal
    import threading
    import time

    import numpy as np

    import pyneural as pn
    from pyneural import _core

    images, weight = np.zeros((1, 3000, 3000, 1), "float32"), np.zeros((1000, 1000, 1, 4), "float32")

    def press():
        time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGINT)
        while not stop.pressed:
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    with _core.Interrupt() as stop:
        threading.Thread(target=press).start()
        try:
            pn.ops.conv2d(images, weight)
        except KeyboardInterrupt as error:
            print(error)


def test_the_first_press_is_noted_and_the_second_ends_an_op_that_both_meet() -> None:
    assert child.run(press_twice_in_an_op) == "conv2d: interrupted\n"
