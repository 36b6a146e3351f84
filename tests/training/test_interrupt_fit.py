"""Ctrl-C while fit trains and validates: the History comes back, whatever the moment, however often it is pressed."""

from __future__ import annotations

import child
import pytest


def press_in_validation(presses: int) -> None:
    """The layer presses in the third validation batch of the second epoch; 20 batches would follow."""
    import os
    import signal

    import numpy as np

    import pyneural as pn

    validated, fingerprints = [], []

    class Pressing(pn.Layer):
        def call(self, x, *, training):
            if x.shape[0] == 500 and not training:
                validated.append(1)
                fingerprints.append(model.fingerprint())
                for _ in range(presses * (len(validated) == 23)):
                    os.kill(os.getpid(), signal.SIGINT)
            return x * 1.0

    x = np.linspace(-1, 1, 10_000, dtype=np.float32).reshape(-1, 1)
    model = pn.Sequential(pn.Dense(2), Pressing(), pn.Dense(1))
    history = pn.fit(model, (x[:300], x[:300]), epochs=9, validation=(x, x), verbose=0)
    print(len(validated), history.interrupted, history.epochs, history.best_epoch, len(history["val_loss"]))
    print(model.fingerprint() == history.fingerprint == fingerprints[0] != fingerprints[-1])
    print(model.card.epochs, model.card.best_epoch, model.card.metrics["val_loss"] == history["val_loss"][0])


@pytest.mark.parametrize("presses", [1, 2, 3])
def test_a_press_while_validating_ends_it_after_the_batch_and_returns_the_history(presses: int) -> None:
    assert child.run(press_in_validation, presses) == "23 True 1 1 1\nTrue\n1 1 True\n"


def press_twice_at_every_line() -> None:
    """Presses at the n-th line that fit's loop runs, for every n: each time the history is whole.

    Not at the line of a `with`, which is traced once more before __exit__ is called, where no signal is ever handled.
    """
    import linecache
    import os
    import signal
    import sys

    import numpy as np

    import pyneural as pn

    LOOP = {"_epochs", "_epoch", "_finish", "_keep", "measure", "batches", "epoch"}
    x = np.linspace(-1, 1, 12, dtype=np.float32).reshape(-1, 1)
    lines, last, epochs = 0, 0, set()

    def trace(frame, event, argument):
        nonlocal lines
        code = frame.f_code
        if code.co_name not in LOOP or "pyneural" not in code.co_filename:
            return None
        if event == "line" and not linecache.getline(code.co_filename, frame.f_lineno).lstrip().startswith("with "):
            lines += 1
            if lines == last:
                os.kill(os.getpid(), signal.SIGINT)
                os.kill(os.getpid(), signal.SIGINT)
        return trace

    while True:
        last, lines = last + 1, 0
        model = pn.Sequential(pn.Dense(1))
        sys.settrace(trace)
        history = pn.fit(model, (x, x), epochs=3, batch_size=5, verbose=0)
        sys.settrace(None)
        assert pn.is_recording(), last
        assert isinstance(history, pn.History), last
        assert all(len(values) == history.epochs for values in history.values()), (last, dict(history))
        assert history.fingerprint == model.fingerprint(), last
        assert model.card.epochs == history.epochs, last
        assert history.interrupted == (lines >= last), last
        if history.epochs:
            assert history.best_epoch == 1 + int(np.argmin(history["val_loss"])), last
            assert model.card.metrics["val_loss"] == min(history["val_loss"]), last
            assert model.card.best_epoch == history.best_epoch, last
        epochs.add(history.epochs)
        if not history.interrupted:
            break
    assert last > 100, last
    print(sorted(epochs))


def test_two_presses_at_any_line_of_the_loop_leave_a_whole_history() -> None:
    assert child.run(press_twice_at_every_line) == "[0, 1, 2, 3]\n"


def press_in_a_callback_of_ones_own() -> None:
    import numpy as np

    import pyneural as pn

    def loss(outputs, targets):
        raise KeyboardInterrupt("mine")

    x = np.ones((8, 1), "float32")
    try:
        pn.fit(pn.Sequential(pn.Dense(1)), (x, np.arange(8.0)), loss=loss, verbose=0)
    except KeyboardInterrupt as error:
        print(error)


def test_a_keyboard_interrupt_that_nobody_pressed_is_passed_on() -> None:
    assert child.run(press_in_a_callback_of_ones_own) == "mine\n"
