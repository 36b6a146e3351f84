"""Three small networks must give PyTorch's outputs, gradients and ten-step losses (tests/golden, by tools/golden.py).

Where PyTorch is importable, 200 random small graphs are compared with it live as well.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pyneural as pn
from pyneural._core import Optimizer

GOLDEN = Path(__file__).parent / "golden"
NAMES = ["mlp", "cnn", "residual"]
TRAJECTORIES = [
    (name, optimizer)
    for name in NAMES
    for optimizer in json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))["trajectories"]
]

# float64: the files hold 12 digits.  float32: rounding of values near 1, over ten steps that feed on each other.
TOLERANCE = {"float64": 1e-9, "float32": 2e-5}
TOLERANCE_AFTER_TEN_STEPS = {"float64": 1e-8, "float32": 2e-4}


def load(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    return content


def leaves(values: dict[str, Any], dtype: str) -> dict[str, pn.Tensor]:
    return {k: pn.tensor(np.array(v, dtype), requires_grad=True) for k, v in values.items()}


def fresh_state(content: dict[str, Any], dtype: str) -> dict[str, pn.Tensor]:
    start = {"mean": 0.0, "var": 1.0}
    return {k: pn.tensor(np.full(len(v), start[k[-4:].strip("_")], dtype)) for k, v in content["state_after"].items()}


# ---- the same networks on our ops ----------------------------------------------------------------------------------


def mlp(p: dict[str, pn.Tensor], state: dict[str, pn.Tensor], x: pn.Tensor) -> pn.Tensor:
    x = pn.ops.linear(x, p["weight_1"], p["bias_1"], activation="relu")
    x = pn.ops.linear(x, p["weight_2"], p["bias_2"], activation="tanh")
    return pn.ops.linear(x, p["weight_3"], p["bias_3"])


def cnn(p: dict[str, pn.Tensor], state: dict[str, pn.Tensor], x: pn.Tensor) -> pn.Tensor:
    x = pn.ops.conv2d(x, p["kernel_1"], p["bias_1"], padding="same", activation="relu")
    x = pn.ops.max_pool2d(x, size=2)
    x = pn.ops.conv2d(x, p["kernel_2"], p["bias_2"], stride=2, activation="relu")
    return pn.ops.linear(x.reshape(x.shape[0], -1), p["weight_3"], p["bias_3"])


def residual(p: dict[str, pn.Tensor], state: dict[str, pn.Tensor], x: pn.Tensor) -> pn.Tensor:
    def conv_norm(x: pn.Tensor, i: int, shortcut: pn.Tensor | None = None) -> pn.Tensor:
        return pn.ops.batch_norm(
            pn.ops.conv2d(x, p[f"kernel_{i}"], padding="same"),
            p[f"norm_{i}_gamma"],
            p[f"norm_{i}_beta"],
            state[f"norm_{i}_mean"],
            state[f"norm_{i}_var"],
            shortcut,
            training=True,
            momentum=0.9,
            epsilon=1e-5,
            activation="relu",
        )

    stem = conv_norm(x, 0)
    h = conv_norm(conv_norm(stem, 1), 2, stem)
    return pn.ops.linear(pn.ops.global_avg_pool2d(h), p["weight_3"], p["bias_3"])


NETWORKS: dict[str, Callable[..., pn.Tensor]] = {"mlp": mlp, "cnn": cnn, "residual": residual}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", NAMES)
def test_outputs_and_gradients_are_pytorchs(name: str, dtype: str) -> None:
    content = load(name)
    p = leaves(content["parameters"], dtype)
    state = fresh_state(content, dtype)
    x = pn.tensor(np.array(content["x"], dtype), requires_grad=True)
    logits = NETWORKS[name](p, state, x)
    loss = pn.ops.cross_entropy(logits, np.array(content["y"]))
    loss.backward()
    tolerance = TOLERANCE[dtype]
    np.testing.assert_allclose(logits.numpy(), content["logits"], rtol=tolerance, atol=tolerance)
    assert loss.item() == pytest.approx(content["loss"], abs=tolerance)
    for key, tensor in {**p, "x": x}.items():
        assert tensor.grad is not None, key
        expected = content["gradients"][key]
        np.testing.assert_allclose(tensor.grad.numpy(), expected, rtol=tolerance, atol=tolerance, err_msg=key)
    for key, tensor in state.items():
        expected = content["state_after"][key]
        np.testing.assert_allclose(tensor.numpy(), expected, rtol=tolerance, atol=tolerance, err_msg=key)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("name", "optimizer"), TRAJECTORIES)
def test_ten_steps_lose_what_pytorch_loses(name: str, optimizer: str, dtype: str) -> None:
    content = load(name)
    expected = content["trajectories"][optimizer]
    p = leaves(content["parameters"], dtype)
    state = fresh_state(content, dtype)
    x = pn.tensor(np.array(content["x"], dtype))
    y = np.array(content["y"])
    stepper = Optimizer(optimizer, list(p.values()), **expected["hyper"], decay_all=True)
    losses = []
    for _ in expected["losses"]:
        loss = pn.ops.cross_entropy(NETWORKS[name](p, state, x), y)
        loss.backward()
        stepper.step()
        losses.append(loss.item())
    tolerance = TOLERANCE_AFTER_TEN_STEPS[dtype]
    np.testing.assert_allclose(losses, expected["losses"], rtol=tolerance, atol=tolerance)
    if dtype == "float64":  # Adam's first steps are signs of gradients: where those are nearly 0, float32 may differ
        for key, tensor in p.items():
            np.testing.assert_allclose(tensor.numpy(), expected["after"][key], atol=tolerance, err_msg=key)


# ---- random graphs, against PyTorch itself -------------------------------------------------------------------------

if importlib.util.find_spec("torch") is not None:
    import torch_graphs

    @pytest.mark.parametrize("seed", range(200))
    def test_a_random_graph_gives_pytorchs_values_and_gradients(seed: int) -> None:
        torch_graphs.compare(seed)
