"""The benchmark's own correctness, with nothing timed and no peer but NumPy: cases, adapters, verdicts, RESULTS.md."""

import importlib
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"
NAMES = ("bench", "cases", "compare", "judge", "kernels", "machine", "networks", "worker")


def test_no_module_of_the_tests_has_the_name_of_one_here():
    """Both folders are on the path of these tests, and the first of two modules would be imported for both."""
    assert set(NAMES) & {path.stem for path in Path(__file__).parent.rglob("*.py")} == set()


@pytest.fixture(scope="module")
def bench():
    """The modules of the benchmark, by name."""
    sys.path.insert(0, str(BENCHMARKS))
    try:
        names = (*NAMES, "peers.by_hand", "peers.ours", "peers.ours_ops")
        yield {name: importlib.import_module(name) for name in names}
    finally:
        sys.path.remove(str(BENCHMARKS))


class Peaks:
    """A probe that has measured already."""

    def look(self, seconds=0.0):
        pass

    def gflops(self, threads):
        return 100.0 * threads

    def gigabytes(self, threads):
        return 20.0 * threads


def case(bench, words):
    return next(case for case in bench["cases"].CASES if words in case.name)


def data(shape, n=300):
    """Pixels and labels, with the moments that all sides use."""
    draw = np.random.default_rng(3)
    return draw.integers(0, 256, (n, *shape), dtype=np.uint8), draw.integers(0, 10, n), 127.0, 74.0


# ---- the cases and the adapters


def test_every_network_builds_with_the_weights_of_the_table(bench):
    networks, ours = bench["networks"], bench["peers.ours"]
    for one in bench["cases"].CASES:
        given = networks.weights(one.network, one.shape)
        model = ours.build(one.network, one.shape)
        ours.give(model, given)
        assert model.output_shape == networks.shapes(one.network, one.shape)[-1]
        for tensor, values in zip(model.parameters.values(), given, strict=True):
            assert np.array_equal(tensor.numpy(), values), one.name


def test_the_arithmetic_of_a_step_is_what_the_layers_say(bench):
    networks = bench["networks"]
    dense = 784 * 128 + 128 * 10
    assert networks.forward_flops(networks.MLP, (28, 28, 1)) == 2 * dense
    assert networks.flops(networks.MLP, (28, 28, 1)) == 2 * (2 * 784 * 128 + 3 * 128 * 10), (
        "the first layer needs no dX"
    )
    assert networks.taps(28, 3, 1, 0) == 26 * 3
    assert networks.taps(7, 3, 1, 1) == 7 * 3 - 2, "taps on the padding are no work"
    deep = networks.weights(networks.DEEP_MLP, (28, 28, 1))
    assert len(deep) == 2 * 20
    assert 9.9e6 < sum(weight.size for weight in deep) < 10.1e6


def test_numpy_by_hand_and_pyneural_agree_on_losses_gradients_and_outputs(bench):
    one = case(bench, "train MLP 784-128-10, batch 32")
    given, rows = bench["networks"].weights(one.network, one.shape), np.arange(one.batch)
    hand, ours = bench["peers.by_hand"].ByHand(1), bench["peers.ours"].Ours(1)
    sides = [side.train(one, given, data(one.shape)) for side in (ours, hand)]
    found = bench["compare"].difference(one, *(side.check(rows) for side in sides))
    assert found < 1e-5, "float32 sums of 784 terms in another order"
    one = case(bench, "model(x) MLP, 256")
    x = np.random.default_rng(5).normal(size=(256, *one.shape)).astype(np.float32)
    outputs = [side.model(one, given, x).check() for side in (ours, hand)]
    assert bench["compare"].difference(one, *outputs) < 1e-5


def test_a_difference_in_one_gradient_is_seen(bench):
    one = case(bench, "train MLP 784-128-10, batch 32")
    gradients = bench["networks"].weights(one.network, one.shape)
    wrong = [gradients[0] * 1.001, *gradients[1:]]
    assert bench["compare"].difference(one, (1.0, gradients), (1.0, gradients)) == 0
    assert bench["compare"].difference(one, (1.0, gradients), (1.0, wrong)) > bench["compare"].tolerance(one)
    assert bench["compare"].difference(one, (1.0, gradients), (1.01, gradients)) > bench["compare"].tolerance(one)


def test_our_steps_are_those_of_fit_in_turns(bench):
    one = case(bench, "train MLP 784-128-10, batch 32")
    fit = bench["peers.ours"].Fit(one, bench["networks"].weights(one.network, one.shape), data(one.shape))
    before = fit.model.fingerprint()
    assert len(fit.steps(3)) == 3
    assert len(fit.steps(12)) == 12, "beyond one epoch of ten steps"
    assert fit.thread.is_alive(), "fit waits for its next turn"
    fit.close()
    assert not fit.thread.is_alive()
    assert fit.model.fingerprint() != before, "fit trains"


def test_predictors_of_ours_take_steps(bench):
    for words in ("model(x) MLP, 1", "pn.predict MLP, 1"):
        one = case(bench, words)
        x = np.zeros((one.batch, *one.shape), np.float32)
        side = bench["peers.ours"].Ours(1).model(one, bench["networks"].weights(one.network, one.shape), x)
        assert side.check().shape == (1, 10)
        assert len(side.steps(2)) == 2


def test_a_peer_works_in_its_own_process(bench):
    one = case(bench, "model(x) MLP, 256")
    worker = bench["worker"].Worker("NumPy", 1)
    try:
        assert "NumPy" in worker.words
        assert worker.ask("has", one)
        assert not worker.ask("has", case(bench, "LeNet"))
        worker.ask("prepare", one)
        assert worker.ask("check", one).shape == (256, 10)
        assert len(worker.ask("turn", 3)) == 3, "those that warm up are not counted"
        with pytest.raises(RuntimeError, match="NumPy, 1 threads"):
            worker.ask("prepare", None)
        worker.ask("drop")
    finally:
        worker.close()


def test_every_kernel_runs_and_has_its_own_name(bench):
    kernels = bench["kernels"].everything()
    assert len({kernel.name for kernel in kernels}) == len(kernels)
    for kernel in kernels:
        if kernel.op in ("matmul", "conv", "gather") and kernel.x[0] > 128:
            continue  # the same op on fewer rows is among them, or takes long to draw
        runner = bench["peers.ours_ops"].Ops(1).kernel(kernel)
        shape = kernel.x if kernel.wanted == "x" else kernel.w if kernel.wanted == "w" else None
        result = runner.check()
        assert np.isfinite(result).all(), kernel.name
        assert shape is None or result.shape == shape, kernel.name
        assert len(runner.steps(1)) == 1


# ---- the verdict


def test_a_disturbed_peer_is_taken_at_its_p10(bench):
    steady, disturbed = bench["judge"].Times([10.0] * 20), bench["judge"].Times([5.0] * 5 + [12.0] * 15)
    assert steady.basis == steady.median == 10
    assert disturbed.basis == disturbed.p10 == 5
    assert bench["judge"].best({"a": steady, "b": disturbed}) == "b"
    assert bench["judge"].ratio(bench["judge"].Times([4.0]), {"a": steady, "b": disturbed}) == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("value", "limit", "least", "missed"),
    [(0.4, 0.4, False, False), (0.41, 0.4, False, True), (1.8, 1.8, True, False), (1.7, 1.8, True, True),
     (float("nan"), 1.0, False, True), (float("nan"), 1.0, True, True)],
)  # fmt: skip
def test_a_target_is_missed_beyond_its_limit_and_by_nan(bench, value, limit, least, missed):
    target = bench["judge"].Target("speed", value, limit, least=least)
    assert target.missed == missed
    assert str(target).startswith("MISSED: speed" if missed else "ok: speed")


def outcome(bench, ours, theirs, off=0.0):
    """LeNet's training with these seconds at one and two threads."""
    times = bench["judge"].Times
    return bench["compare"].Outcome(
        case(bench, "train LeNet"),
        {("pyneural", 1): times([ours[0]]), ("pyneural", 2): times([ours[1]]), ("JAX", 2): times([theirs])},
        {"JAX": off},
        {"JAX": "window maximum"},
    )


def missed(bench, found):
    return [target.name for target in bench["compare"].targets(found) if target.missed]


def test_each_missed_limit_of_a_case_is_named(bench):
    assert missed(bench, outcome(bench, (1.9, 1.0), 10.0)) == []
    assert missed(bench, outcome(bench, (1.9, 1.0), 3.0)) == ["train LeNet 8-16, batch 64: ours / JAX, 2 threads"]
    assert missed(bench, outcome(bench, (1.2, 1.0), 10.0)) == ["train LeNet 8-16, batch 64: 1 to 2 threads"]


def test_a_peer_that_differs_is_named_and_not_compared(bench):
    found = outcome(bench, (1.9, 1.0), 3.0, off=0.1)
    assert missed(bench, found) == ["train LeNet 8-16, batch 64: JAX agrees (relative difference)"]
    assert found.peers(2) == {}


def test_limits_on_kernels_name_what_is_slow(bench):
    kernels, times = bench["kernels"], bench["judge"].Times
    product, convolution = kernels.products()[0], kernels.convolutions()[0]
    found = {
        product: {(kernels.OURS, 1): times([product.amount / 95]), (kernels.OURS, 2): times([product.amount / 100])},
        convolution: {
            (kernels.OURS, 2): times([convolution.amount / 150]),
            (kernels.THEIRS, 2): times([convolution.amount / 170]),
        },
    }
    targets = kernels.targets(found, Peaks())
    assert [target.missed for target in targets] == [False, True, True]
    assert "2 threads: share of the FMA peak" in targets[1].name
    assert targets[1].value == pytest.approx(50)
    assert targets[2].value == pytest.approx(150 / (0.95 * 170))
    assert kernels.text(found, Peaks()).count("\n") == 4


# ---- RESULTS.md


def test_results_have_a_table_name_misses_first_and_tell_no_paths(bench):
    report = bench["bench"].Report(True, Peaks())
    outcomes = [outcome(bench, (1.9, 1.0), 3.0)]
    report.versions = ["pyneural 1"]
    report.add("Steps", bench["compare"].section(outcomes, Peaks(), 2), bench["compare"].targets(outcomes[0]))
    text = report.text(60.0)
    assert text.startswith("# Results of `make bench`\n")
    assert "FMA peak 100 GFLOP/s with one thread, 200 with two" in text
    assert "## Targets: 2 of 3 met" in text
    assert text.index("- MISSED: train LeNet") < text.index("- ok: train LeNet")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len({row.count("|") for row in rows}) == 1, "every row has as many columns as the head"
    assert "| train LeNet 8-16, batch 64 |" in rows[-1]
    assert "0.33 (JAX)" in rows[-1]
    assert socket.gethostname() not in text
    assert str(Path.cwd()) not in text


def test_the_run_ends_with_1_and_names_what_was_missed(bench, monkeypatch, tmp_path, capsys):
    target = bench["judge"].Target
    for value, status in ((2.0, 1), (0.5, 0)):
        part = {"overhead": ("Overhead", lambda quick, value=value: ("nothing\n", [target("a step", value, 1.0)]))}
        monkeypatch.setattr(bench["bench"], "MEASURED_APART", part)
        monkeypatch.setattr(bench["machine"], "Probe", lambda folder: Peaks())
        monkeypatch.setattr(sys, "argv", ["bench.py", "--only", "overhead", "--output", str(tmp_path / "RESULTS.md")])
        assert bench["bench"].main() == status
        assert ("MISSED: a step: 2" in capsys.readouterr().out.splitlines()[-2]) == bool(status)
        assert f"Targets: {1 - status} of 1 met" in (tmp_path / "RESULTS.md").read_text(encoding="utf-8")


def test_the_probe_compiles_without_warnings_and_measures(bench, tmp_path):
    compiler = shutil.which("cc") or shutil.which("gcc")
    assert compiler is not None
    flags = ["-std=gnu11", "-O3", "-ffp-contract=fast", "-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Werror"]
    program = str(tmp_path / "probe")
    subprocess.run([compiler, *flags, "-pthread", str(BENCHMARKS / "probe.c"), "-o", program], check=True)
    for what in ("fma", "triad"):
        done = subprocess.run([program, what, "2", "0.01"], check=True, capture_output=True, text=True)
        assert float(done.stdout) > 0
    assert subprocess.run([program], capture_output=True, check=False).returncode == 2
