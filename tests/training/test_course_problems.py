"""The small problems of courses, with all defaults: pn.fit on arrays, and the estimators."""

import math

import numpy as np
import pytest

import pyneural as pn

SEEDS = (0, 1, 2)


def xor(rng, n):
    """The corners of a square, not quite exact."""
    a, b = rng.integers(0, 2, n), rng.integers(0, 2, n)
    return np.stack([a, b], 1) + rng.normal(0, 0.1, (n, 2)), a ^ b


def moons(rng, n):
    y, angle = np.arange(n) % 2, rng.uniform(0, math.pi, n)
    x = np.stack([np.cos(angle) + y, np.where(y == 1, 0.5 - np.sin(angle), np.sin(angle))], 1)
    return x + rng.normal(0, 0.1, (n, 2)), y


def circles(rng, n):
    y, angle = np.arange(n) % 2, rng.uniform(0, 2 * math.pi, n)
    radius = np.where(y == 1, 0.5, 1.0)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1) + rng.normal(0, 0.08, (n, 2)), y


def spiral(rng, n):
    """Three arms, as in the course CS231n."""
    y, radius = np.arange(n) % 3, rng.uniform(0.02, 1, n)
    angle = y * 2 * math.pi / 3 + 4 * radius + rng.normal(0, 0.2, n)
    return np.stack([radius * np.sin(angle), radius * np.cos(angle)], 1), y


def sine(rng, n):
    x = rng.uniform(-math.pi, math.pi, (n, 1))
    return x, np.sin(x[:, 0])


PROBLEMS = [xor, moons, circles, spiral]


def parts(problem, seed):
    """300 rows to train on, and 1,000 others."""
    rng = np.random.default_rng(seed)
    return problem(rng, 300), problem(rng, 1000)


def network(outputs):
    return pn.Sequential(pn.Dense(32, "relu"), pn.Dense(32, "relu"), pn.Dense(outputs))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("problem", PROBLEMS)
def test_fit_solves_a_problem_of_classes_by_its_defaults(problem, seed):
    train, test = parts(problem, seed)
    model = network(1 + int(train[1].max()))
    pn.fit(model, train, seed=seed, verbose=0)
    assert pn.evaluate(model, test, verbose=0).accuracy >= 0.95, seed


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("problem", PROBLEMS)
def test_the_classifier_solves_a_problem_by_its_defaults(problem, seed):
    train, test = parts(problem, seed)
    assert pn.Classifier(random_state=seed).fit(*train).score(*test) >= 0.95, seed


@pytest.mark.parametrize("seed", SEEDS)
def test_fit_learns_a_sine_by_its_defaults(seed):
    train, test = parts(sine, seed)
    model = network(1)
    pn.fit(model, train, seed=seed, verbose=0)
    assert pn.evaluate(model, test, verbose=0).r2 >= 0.99, seed


@pytest.mark.parametrize("seed", SEEDS)
def test_the_regressor_learns_a_sine_by_its_defaults(seed):
    train, test = parts(sine, seed)
    assert pn.Regressor(random_state=seed).fit(*train).score(*test) >= 0.99, seed


@pytest.mark.parametrize("seed", SEEDS)
def test_the_four_rows_of_xor_are_learned(seed):
    x, y = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), np.array([0, 1, 1, 0])
    model = network(1)
    pn.fit(model, (x, y), seed=seed, verbose=0)
    assert ((pn.predict(model, x)[:, 0] > 0.5) == y).all(), seed
    assert pn.Classifier(random_state=seed).fit(x, y).score(x, y) == 1.0, seed
