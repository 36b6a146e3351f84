"""The influence of examples on scores: the derivatives of scikit-learn's weighted scores."""

import numpy as np
import pytest
from sklearn import metrics as sk

from pyneural.card.task import Task
from pyneural.metrics.influence import METRICS, default_metric, is_imbalanced

N = 40


def of_classes(K: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(K)
    p = generator.dirichlet(np.ones(K), N)
    return np.concatenate([np.arange(K), generator.integers(0, K, N - K)]), p


Y2, P2 = of_classes(2)
Y3, P3 = of_classes(3)
LABELS = (np.random.default_rng(3).random((N, 3)) < 0.4).astype(np.int64)
SHARES = np.random.default_rng(4).random((N, 3))
VALUES = np.random.default_rng(5).normal(size=(N, 2))
GUESSES = VALUES + np.random.default_rng(6).normal(size=(N, 2))
BINARY, CLASSES = Task("binary", 1, threshold=0.4), Task("classes", 3)

CASES = {
    "accuracy of two": (
        BINARY,
        "accuracy",
        Y2,
        P2[:, 1:],
        lambda w: sk.accuracy_score(Y2, P2[:, 1] >= 0.4, sample_weight=w),
    ),
    "accuracy": (CLASSES, "accuracy", Y3, P3, lambda w: sk.accuracy_score(Y3, P3.argmax(1), sample_weight=w)),
    "accuracy of labels": (
        Task("labels", 3),
        "accuracy",
        LABELS,
        SHARES,
        lambda w: np.mean([sk.accuracy_score(LABELS[:, k], SHARES[:, k] >= 0.5, sample_weight=w) for k in range(3)]),
    ),
    "balanced accuracy": (
        CLASSES,
        "balanced_accuracy",
        Y3,
        P3,
        lambda w: sk.balanced_accuracy_score(Y3, P3.argmax(1), sample_weight=w),
    ),
    "area": (
        BINARY,
        "roc_auc",
        Y2,
        P2[:, 1:].round(1),
        lambda w: sk.roc_auc_score(Y2, P2[:, 1].round(1), sample_weight=w),
    ),
    "area of labels": (
        Task("labels", 3),
        "roc_auc",
        LABELS,
        SHARES,
        lambda w: sk.roc_auc_score(LABELS, SHARES, sample_weight=w),
    ),
    "average precision": (
        BINARY,
        "average_precision",
        Y2,
        P2[:, 1:].round(1),
        lambda w: sk.average_precision_score(Y2, P2[:, 1].round(1), sample_weight=w),
    ),
    "average precision of labels": (
        Task("labels", 3),
        "average_precision",
        LABELS,
        SHARES,
        lambda w: sk.average_precision_score(LABELS, SHARES, sample_weight=w),
    ),
    "log loss": (CLASSES, "log_loss", Y3, P3, lambda w: sk.log_loss(Y3, P3, sample_weight=w)),
    "log loss of two": (BINARY, "log_loss", Y2, P2[:, 1:], lambda w: sk.log_loss(Y2, P2, sample_weight=w)),
    "log loss of labels": (
        Task("labels", 3),
        "log_loss",
        LABELS,
        SHARES,
        lambda w: sum(sk.log_loss(LABELS[:, k], SHARES[:, k], sample_weight=w) for k in range(3)),
    ),
    "r2": (Task("values", 2), "r2", VALUES, GUESSES, lambda w: sk.r2_score(VALUES, GUESSES, sample_weight=w)),
    "mse": (
        Task("values", 2),
        "mse",
        VALUES,
        GUESSES,
        lambda w: sk.mean_squared_error(VALUES, GUESSES, sample_weight=w),
    ),
    "mae": (
        Task("values", 2),
        "mae",
        VALUES,
        GUESSES,
        lambda w: sk.mean_absolute_error(VALUES, GUESSES, sample_weight=w),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_influences_are_the_derivatives_of_weighted_scores(case):
    task, name, y, outputs, score = CASES[case]
    found = METRICS[name].of(task, y, outputs)
    assert found.value == pytest.approx(score(np.ones(N)), abs=1e-9)
    assert found.of_rows.sum() == pytest.approx(0, abs=1e-9)
    step = 1e-5
    for row in range(0, N, 7):
        weights = np.ones((2, N))
        weights[:, row] += step, -step
        slope = (score(weights[0]) - score(weights[1])) / (2 * step)
        assert found.of_rows[row] == pytest.approx(N * slope, abs=1e-5), row  # the difference is exact to step²


def test_imbalanced_is_more_than_four_to_one():
    for counts, expected in (
        ([20, 80], False),
        ([19, 81], True),
        ([0, 10, 40], False),
        ([0, 10, 41], True),
        ([5], False),
    ):
        assert is_imbalanced(np.array(counts)) is expected


def test_the_default_metric_suits_the_labels():
    rare = (np.arange(100) < 10).astype(np.int64)
    for task, y, name in (
        (Task("values", 1), VALUES, "r2"),
        (BINARY, Y2, "accuracy"),
        (BINARY, rare, "roc_auc"),
        (Task("classes", 2), rare, "roc_auc"),
        (CLASSES, Y3, "accuracy"),
        (CLASSES, rare, "balanced_accuracy"),
        (Task("labels", 3), LABELS, "accuracy"),
        (Task("labels", 2), np.stack([rare, 1 - rare], 1), "roc_auc"),
    ):
        assert default_metric(task, y) == name
