"""Golden files: what PyTorch computes for three small networks, as JSON in our layouts.

`python tools/golden.py` writes tests/golden/{mlp,cnn,residual}.json; with `--check` it recomputes them and fails if
anything differs from the committed ones by more than 1e-5.  Needs PyTorch; nothing else in the project does.

Each file holds parameters, a batch, and then: logits, loss, the gradient of every parameter and of the batch, and the
loss before each of ten steps of several optimizers, with the parameters after them.  Parameters and batches are
multiples of 1/1024, so that float32, float64 and their decimals all hold the same numbers.  PyTorch works on NCHW and
(O, C, KH, KW) in float64; the files hold NHWC, (KH, KW, C, O) and (in, out), converted here and nowhere else.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional as F  # noqa: N812 (its usual name)

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "golden"
TOLERANCE = 1e-5
STEPS = 10
SEED = 20

Parameters = dict[str, torch.Tensor]
Network = Callable[[Parameters, Parameters, torch.Tensor], torch.Tensor]

OPTIMIZERS: dict[str, dict[str, Any]] = {
    "sgd": {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
    "rmsprop": {"learning_rate": 0.01, "beta2": 0.99, "epsilon": 1e-8, "momentum": 0.5},
    "adam": {"learning_rate": 0.01, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
    "adamw": {"learning_rate": 0.01, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.1},
}


# ---- three networks, in our layouts --------------------------------------------------------------------------------


def dense(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """Give x (N, in), weight (in, out)."""
    return F.linear(x, weight.T, bias)


def conv(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, stride: int, padding: int) -> torch.Tensor:
    """Give x (N, H, W, C), weight (KH, KW, C, O)."""
    y = F.conv2d(x.permute(0, 3, 1, 2), weight.permute(3, 2, 0, 1), bias, stride=stride, padding=padding)
    return y.permute(0, 2, 3, 1)


def norm(x: torch.Tensor, name: str, p: Parameters, state: Parameters) -> torch.Tensor:
    """Batch statistics; the running ones are updated with weight 0.1."""
    y = F.batch_norm(
        x.permute(0, 3, 1, 2),
        state[f"{name}_mean"],
        state[f"{name}_var"],
        p[f"{name}_gamma"],
        p[f"{name}_beta"],
        training=True,
        momentum=0.1,
        eps=1e-5,
    )
    return y.permute(0, 2, 3, 1)


def mlp(p: Parameters, state: Parameters, x: torch.Tensor) -> torch.Tensor:
    """12 - 16 (relu) - 8 (tanh) - 5."""
    x = dense(x, p["weight_1"], p["bias_1"]).relu()
    x = dense(x, p["weight_2"], p["bias_2"]).tanh()
    return dense(x, p["weight_3"], p["bias_3"])


def cnn(p: Parameters, state: Parameters, x: torch.Tensor) -> torch.Tensor:
    """5 x 5 "same" convolution, relu, 2 x 2 maximum, 3 x 3 convolution with stride 2, relu, dense."""
    x = conv(x, p["kernel_1"], p["bias_1"], stride=1, padding=2).relu()
    x = F.max_pool2d(x.permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1)
    x = conv(x, p["kernel_2"], p["bias_2"], stride=2, padding=0).relu()
    return dense(x.flatten(1), p["weight_3"], p["bias_3"])


def residual(p: Parameters, state: Parameters, x: torch.Tensor) -> torch.Tensor:
    """A stem and one block (conv, norm, relu, conv, norm, + x, relu), global average, dense."""
    stem = norm(conv(x, p["kernel_0"], None, stride=1, padding=1), "norm_0", p, state).relu()
    h = norm(conv(stem, p["kernel_1"], None, stride=1, padding=1), "norm_1", p, state).relu()
    h = norm(conv(h, p["kernel_2"], None, stride=1, padding=1), "norm_2", p, state)
    return dense((h + stem).relu().mean(dim=(1, 2)), p["weight_3"], p["bias_3"])


# name: the network, its batch's shape, classes, parameters' shapes, optimizers
NETWORKS: dict[str, tuple[Network, tuple[int, ...], int, dict[str, tuple[int, ...]], tuple[str, ...]]] = {
    "mlp": (
        mlp,
        (9, 12),
        5,
        {
            "weight_1": (12, 16),
            "bias_1": (16,),
            "weight_2": (16, 8),
            "bias_2": (8,),
            "weight_3": (8, 5),
            "bias_3": (5,),
        },
        ("sgd", "rmsprop", "adam", "adamw"),
    ),
    "cnn": (
        cnn,
        (4, 10, 10, 2),
        4,
        {
            "kernel_1": (5, 5, 2, 5),
            "bias_1": (5,),
            "kernel_2": (3, 3, 5, 6),
            "bias_2": (6,),
            "weight_3": (24, 4),
            "bias_3": (4,),
        },
        ("sgd", "adam"),
    ),
    "residual": (
        residual,
        (4, 6, 5, 3),
        3,
        {
            "kernel_0": (3, 3, 3, 4),
            "norm_0_gamma": (4,),
            "norm_0_beta": (4,),
            "kernel_1": (3, 3, 4, 4),
            "norm_1_gamma": (4,),
            "norm_1_beta": (4,),
            "kernel_2": (3, 3, 4, 4),
            "norm_2_gamma": (4,),
            "norm_2_beta": (4,),
            "weight_3": (4, 3),
            "bias_3": (3,),
        },
        ("sgd", "adam"),
    ),
}


# ---- making one file -----------------------------------------------------------------------------------------------


def on_grid(t: torch.Tensor) -> torch.Tensor:
    """Rounds to multiples of 1/1024."""
    return (t * 1024).round() / 1024


def draw(shapes: dict[str, tuple[int, ...]], generator: torch.Generator) -> Parameters:
    """Weights with standard deviation sqrt(2 / inputs), small biases, norms near 1."""
    drawn = {}
    for name, shape in shapes.items():
        values = torch.randn(shape, generator=generator, dtype=torch.float64)
        if len(shape) > 1:
            values *= (2 / torch.tensor(shape[:-1]).prod()) ** 0.5
        else:
            values = values * 0.1 + (1.0 if "gamma" in name else 0.0)
        drawn[name] = on_grid(values)
    return drawn


def fresh_state(shapes: dict[str, tuple[int, ...]]) -> Parameters:
    """Running means 0 and variances 1, a pair for each norm."""
    state = {}
    for name, shape in shapes.items():
        if name.endswith("_gamma"):
            state[name.replace("gamma", "mean")] = torch.zeros(shape, dtype=torch.float64)
            state[name.replace("gamma", "var")] = torch.ones(shape, dtype=torch.float64)
    return state


def make_optimizer(name: str, parameters: list[torch.Tensor]) -> torch.optim.Optimizer:
    h = OPTIMIZERS[name]
    rate = h["learning_rate"]
    decay = h.get("weight_decay", 0.0)
    if name == "sgd":
        return torch.optim.SGD(parameters, lr=rate, momentum=h["momentum"], nesterov=h["nesterov"], weight_decay=decay)
    if name == "rmsprop":
        return torch.optim.RMSprop(parameters, lr=rate, alpha=h["beta2"], eps=h["epsilon"], momentum=h["momentum"])
    betas = (h["beta1"], h["beta2"])
    if name == "adam":
        return torch.optim.Adam(parameters, lr=rate, betas=betas, eps=h["epsilon"], weight_decay=decay)
    return torch.optim.AdamW(parameters, lr=rate, betas=betas, eps=h["epsilon"], weight_decay=decay)


def trajectory(
    network: Network, shapes: dict[str, tuple[int, ...]], p: Parameters, x: torch.Tensor, y: torch.Tensor, name: str
) -> dict[str, Any]:
    """Ten steps from p: the loss before each, the parameters after all."""
    p = {key: value.clone().requires_grad_() for key, value in p.items()}
    state = fresh_state(shapes)
    optimizer = make_optimizer(name, list(p.values()))
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = F.cross_entropy(network(p, state, x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return {"hyper": OPTIMIZERS[name], "losses": losses, "after": {key: listed(value) for key, value in p.items()}}


def listed(t: torch.Tensor) -> Any:
    return t.detach().tolist()


def make(name: str) -> dict[str, Any]:
    """Everything one golden file holds."""
    network, shape, classes, shapes, optimizers = NETWORKS[name]
    generator = torch.Generator().manual_seed(SEED)
    p = draw(shapes, generator)
    x = on_grid(torch.randn(shape, generator=generator, dtype=torch.float64)).requires_grad_()
    y = torch.randint(0, classes, shape[:1], generator=generator)
    start = {key: value.clone() for key, value in p.items()}
    for value in p.values():
        value.requires_grad_()
    state = fresh_state(shapes)
    logits = network(p, state, x)
    loss = F.cross_entropy(logits, y)
    loss.backward()
    gradients = {key: listed(value.grad) for key, value in p.items() if value.grad is not None}
    assert x.grad is not None
    gradients["x"] = listed(x.grad)
    return {
        "made_with": f"PyTorch {torch.__version__.split('+')[0]}, float64, tools/golden.py",
        "parameters": {key: listed(value) for key, value in start.items()},
        "x": listed(x),
        "y": listed(y),
        "logits": listed(logits),
        "loss": loss.item(),
        "gradients": gradients,
        "state_after": {key: listed(value) for key, value in state.items()},
        "trajectories": {o: trajectory(network, shapes, start, x.detach(), y, o) for o in optimizers},
    }


# ---- writing and comparing -----------------------------------------------------------------------------------------


def rounded(value: Any) -> Any:
    """Floats to 12 significant digits, so that files made elsewhere differ in the last digits only."""
    if isinstance(value, float):
        return float(f"{value:.12g}")
    if isinstance(value, list):
        return [rounded(v) for v in value]
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    return value


def greatest_difference(a: Any, b: Any, where: str) -> tuple[float, str]:
    """The greatest absolute difference between two nested values of the same structure, and its position."""
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        found = [greatest_difference(a[k], b[k], f"{where}.{k}") for k in a if k != "made_with"]
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        found = [greatest_difference(u, v, where) for u, v in zip(a, b, strict=True)]
    elif isinstance(a, int | float) and isinstance(b, int | float):
        return abs(a - b), where
    else:
        return float("inf"), where
    return max(found, default=(0.0, where))


def check(name: str, content: dict[str, Any]) -> bool:
    """Compares with the committed file; prints one line; True when it agrees."""
    committed = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    difference, where = greatest_difference(content, committed, name)
    agrees = difference <= TOLERANCE
    verdict = "agrees" if agrees else "DIFFERS"
    print(f"{name}: {verdict}, greatest difference {difference:.1e} at {where} (allowed {TOLERANCE:.0e})")
    return agrees


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="compare with the committed files instead of writing")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(f"PyTorch {torch.__version__}")
    agree = True
    for name in NETWORKS:
        content = rounded(make(name))
        if arguments.check:
            agree = check(name, content) and agree
        else:
            path = FOLDER / f"{name}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(content, separators=(",", ":"), sort_keys=True) + "\n", encoding="utf-8")
            print(f"{name}: wrote {path.relative_to(FOLDER.parent.parent)}, {path.stat().st_size:,} bytes")
    return 0 if agree else 1


if __name__ == "__main__":
    sys.exit(main())
