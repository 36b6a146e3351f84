"""The table of ops under test: a row each, with a reference, inputs, parameters, and bad inputs with their sentence.

test_ops.py makes from every row: forward against the reference, gradient against central differences, float32 against
float64, any number of threads bit for bit, every instruction set, bad inputs, and each allocation failing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import oprefs as ref
from opdraw import (
    Bad,
    Case,
    Draw,
    Row,
    Wide,
    away,
    bad,
    case,
    chances,
    distinct,
    draw_real,
    labels,
    mask,
    normal,
    pixels,
    plain,
    positive,
    unit,
    values,
    wrong_type,
)
from scipy import special

ROWS: dict[str, Row] = {}


def row(op: str, reference: Callable[..., Any], *tries: Case | Bad, **options: Any) -> None:
    assert op not in ROWS, op
    cases = tuple(t for t in tries if isinstance(t, Case))
    ROWS[op] = Row(op, reference, cases, tuple(t for t in tries if isinstance(t, Bad)), **options)


# ---- elementwise ---------------------------------------------------------------------------------------------------

EXTREMES = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 30.0, -30.0]
HUGE = (70, 1000)  # enough work for several threads
WHOLE = values([[3, 1, 2], [60, 5, 1]], "int64")
ENDS = values([0, 1, -1, 7, 2**53 + 1, 2**62, 2**63 - 1, -(2**63), -5], "int64")  # no float64 holds some of them
FROM_Y = Wide(of_dy=2**-21)  # the gradient follows from y, as that of an activation within a layer does
SUMS = 16.0  # ulps, of some hundred terms; of thousands, one after another in a register, more (opbounds.py)


NEVER_ROUNDED = ("neg", "abs", "relu", "step")


def unary(
    op: str,
    reference: Callable[..., Any],
    draw: Callable[..., Draw] = normal,
    wide: Wide = Wide(),  # noqa: B008
    **params: Any,
) -> None:
    row(
        op,
        reference,
        case(draw(3, 7), **params),
        case(draw(), **params),
        case(draw(0, 3), **params),
        case(draw(*HUGE), **params),
        plain(values(EXTREMES), **params),
        plain(WHOLE, **params),
        *([plain(ENDS, **params), plain(pixels(4, 9), **params)] if op in NEVER_ROUNDED else []),
        wide=wide,
        exact=op in NEVER_ROUNDED,
        left_of=ref.of_activation if wide is FROM_Y else None,
    )


unary("neg", np.negative)
unary("exp", np.exp)
unary("expm1", np.expm1)
unary("log", np.log, positive)
unary("log1p", np.log1p, positive)
unary("sqrt", np.sqrt, positive)
unary("abs", np.abs, away)
unary("relu", lambda x: np.maximum(x, 0), away)
unary("leaky_relu", lambda x, slope: ref.activate(x, "leaky_relu", slope), away, slope=0.2)
unary("elu", lambda x, alpha: np.where(x > 0, x, alpha * np.expm1(x)), away, alpha=0.7)
unary("sigmoid", special.expit, wide=FROM_Y)
unary("tanh", np.tanh, wide=FROM_Y)
unary("softplus", lambda x: np.logaddexp(x, 0))
unary("step", lambda x: np.where(np.isnan(x), x, x > 0), away)

row(
    "gelu",
    ref.gelu,
    *[
        t
        for form in ("none", "tanh")
        for t in (
            case(normal(3, 7), approximate=form),
            case(normal(), approximate=form),
            case(normal(0, 3), approximate=form),
            case(normal(*HUGE), approximate=form),
            plain(values(EXTREMES), approximate=form),
        )
    ],
    case(normal(5)),
    bad("gelu: approximate must be 'none' or 'tanh', got 'tan'; did you mean 'tanh'?", normal(3), approximate="tan"),
    wrong_type("gelu: approximate must be 'none' or 'tanh', got True", normal(3), approximate=True),
    plain(WHOLE),
    ulps=SUMS,
    # Far below 0 the tanh form shows the rounding of its argument; the gradient has a zero near -0.75.
    wide=Wide(forward=160, gradient=160, of_dy=2**-22, least=150),
)
row(
    "pow",
    lambda x, exponent: np.power(x, exponent),
    case(normal(3, 7), exponent=2),
    case(away(3, 7), exponent=3),
    case(positive(3, 7), exponent=-1.5),
    case(positive(5), exponent=0),
    case(positive(*HUGE), exponent=0.3),
    plain(values([np.nan, np.inf, 0.0, 1.0, -2.0]), exponent=2),
    plain(values([np.inf, 0.0, 1.0, 4.0]), exponent=0.5),
    plain(WHOLE, exponent=0.5),
    plain(ENDS, exponent=3),
    plain(pixels(4, 9), exponent=2),
    plain(ENDS, exponent=0),
    bad("pow: x is int64 and exponent is -1; give a whole number from 0 up, or x.astype", WHOLE, exponent=-1),
    wrong_type("pow: the argument 'exponent' is missing", normal(3)),
    wide=Wide(),
)
row(
    "clip",
    lambda x, low, high: np.clip(x, low, high),
    case(away(3, 7), low=-0.05, high=1),
    case(away(*HUGE), low=-1, high=0.05),
    plain(values(EXTREMES), low=-2, high=2),
    plain(ENDS, low=-3, high=2**53),
    plain(pixels(4, 9), low=20, high=200),
    plain(pixels(4, 9), low=255, high=255),
    plain(WHOLE, low=1.5, high=4),
    bad("clip: no uint8 is from 256 to 300; give bounds that reach 0 to 255", pixels(3), low=256, high=300),
    bad("clip: no uint8 is from -2 to -1", pixels(3), low=-2, high=-1),
    bad("clip: low is 1 and high is -1; give low <= high", normal(3), low=1, high=-1),
    bad("clip: low is nan", normal(3), low=float("nan"), high=1),
    wide=Wide(),
)


def pairs(whole: bool) -> list[Case]:
    """Inputs of two dtypes, and of integers: of any size where the result is one."""
    mixed = [plain(WHOLE, normal(3)), plain(normal(2, 3), pixels(3)), plain(normal(3), values([0.1, 1, 2], "float64"))]
    mixed += [plain(WHOLE, WHOLE), plain(WHOLE, values([3, 4, 5], "int64")), plain(pixels(4, 9), labels(5, 9))]
    exact = [
        plain(ENDS, values(range(-4, 5), "int64")),
        plain(ENDS, values(3, "int64")),
        plain(pixels(9), pixels(4, 9)),
    ]
    return mixed + exact * whole + [plain(labels(90, *HUGE), labels(70, HUGE[1]))] * whole


def binary(op: str, reference: Callable[..., Any], draw: Callable[..., Draw] = normal) -> None:
    row(
        op,
        reference,
        case(draw(3, 7), draw(3, 7)),
        case(draw(4, 3, 7), draw(7)),
        case(draw(7), draw(4, 3, 7)),
        case(draw(3, 7), draw()),
        case(draw(), draw(3, 7)),
        case(draw(), draw()),
        case(draw(3, 1), draw(1, 7)),
        case(draw(2, 1, 5), draw(3, 1)),
        case(draw(0, 3), draw(3)),
        case(draw(*HUGE), draw(*HUGE)),
        case(draw(*HUGE), draw(HUGE[1])),
        plain(values(EXTREMES), values([2.0] * len(EXTREMES))),
        plain(values(EXTREMES), values([0.0] * len(EXTREMES))),
        bad(f"{op}: shapes (3, 4) and (5,) do not broadcast", normal(3, 4), normal(5)),
        *pairs(op != "div"),
        wide=Wide(),
        exact=op in ("maximum", "minimum"),
        copies=False,
        gradient_ulps=SUMS,
    )


def apart(*shape: int) -> Draw:
    """Of two of these, no pair is close: uniform over thousandths, moved by a draw of its own."""
    return draw_real(shape, lambda rng: rng.integers(-900, 900, shape) * 0.001 + rng.uniform(1e-4, 9e-4))


binary("add", np.add)
binary("sub", np.subtract)
binary("mul", np.multiply)
binary("div", np.divide, away)
binary("maximum", np.maximum, apart)
binary("minimum", np.minimum, apart)


def compare(op: str, reference: Callable[..., Any]) -> None:
    row(
        op,
        reference,
        case(values([[1.0, 2, 3], [3, 2, 1]]), values([2.0, 2, 2])),
        case(normal(3, 1), normal(1, 7)),
        case(normal(*HUGE), normal(HUGE[1])),
        plain(values(EXTREMES), values(EXTREMES)),
        plain(values(EXTREMES), values(0.0)),
        *pairs(True),
        plain(values([2**53, 2**53 + 1], "int64"), values([2**53 + 1, 2**53], "int64")),
        plain(values([2**24 + 1], "int64"), values([2.0**24], "float32")),
        leaves=(),
        exact=True,
    )


compare("equal", np.equal)
compare("not_equal", np.not_equal)
compare("greater", np.greater)
compare("greater_equal", np.greater_equal)
compare("less", np.less)
compare("less_equal", np.less_equal)

row(
    "where",
    np.where,
    case(mask(3, 7), normal(3, 7), normal(3, 7)),
    case(mask(3, 7), normal(7), normal()),
    case(mask(7), normal(3, 7), normal(3, 1)),
    case(mask(*HUGE), normal(*HUGE), normal(HUGE[1])),
    plain(values([1, 0, 0], "uint8"), values([np.nan, np.nan, np.inf]), values([0.0, 1, 2])),
    wrong_type("where: condition is float", normal(3), normal(3), normal(3)),
    plain(mask(3, 7), normal(3, 7), values([0.1], "float64")),
    plain(mask(9), ENDS, values(0, "int64")),
    plain(mask(4, 9), pixels(4, 9), pixels(9)),
    plain(mask(3), WHOLE, normal(3)),
    leaves=(1, 2),
    exact=True,
    copies=False,
    gradient_ulps=SUMS,
)

# ---- products ------------------------------------------------------------------------------------------------------

row(
    "matmul",
    ref.matmul,
    case(normal(3, 4), normal(4, 5)),
    case(normal(4, 3), normal(4, 5), transpose_a=True),
    case(normal(3, 4), normal(5, 4), transpose_b=True),
    case(normal(4, 3), normal(5, 4), transpose_a=True, transpose_b=True),
    case(normal(2, 6, 3, 4), normal(2, 6, 4, 5)),
    case(normal(6, 4, 3), normal(6, 5, 4), transpose_a=True, transpose_b=True),
    case(normal(6, 3, 4), normal(4, 5)),
    case(normal(6, 4, 3), normal(4, 5), transpose_a=True),
    case(normal(3, 4), normal(6, 4, 5)),
    case(normal(4, 3), normal(6, 5, 4), transpose_a=True, transpose_b=True),
    case(normal(3, 4), normal(6, 5, 4), transpose_b=True),
    case(normal(0, 4), normal(4, 5)),
    case(normal(3, 0), normal(0, 5)),
    case(normal(0, 4, 3), normal(4, 2), transpose_a=True),
    case(normal(1, 300), normal(300, 70)),
    case(normal(150, 70), normal(70, 130)),
    case(normal(5, 33, 47), normal(5, 47, 65)),
    bad("matmul: a is (3,); give at least 2 axes", normal(3), normal(3, 4)),
    bad("matmul: a has 4 columns, b has 5 rows (a is (3, 4), b is (5, 4))", normal(3, 4), normal(5, 4)),
    bad("a is (3, 4), transposed", normal(3, 4), normal(4, 5), transpose_a=True),
    bad("the axes before the last two must be equal", normal(2, 3, 4), normal(3, 4, 5)),
    wrong_type("matmul: b is int64", normal(3, 4), values([[1], [2], [3], [4]], "int64")),
    ulps=20,
)
row(
    "linear",
    ref.linear,
    case(normal(5, 4), normal(4, 3)),
    case(normal(5, 4), normal(4, 3), normal(3)),
    case(normal(2, 3, 4), normal(4, 3), normal(3), activation="sigmoid"),
    case(normal(4), normal(4, 3), normal(3), activation="tanh"),
    case(normal(5, 4), normal(4, 3), normal(3), activation="relu"),
    case(normal(5, 4), normal(4, 3), activation="leaky_relu", slope=0.3),
    case(normal(0, 4), normal(4, 3), normal(3), activation="relu"),
    case(normal(130, 90), normal(90, 70), normal(70), activation="relu"),
    bad(
        "linear: weight takes 128 features, x has 100 (x is (64, 100), weight is (128, 10))",
        normal(64, 100),
        normal(128, 10),
    ),
    bad("flatten x first: x.reshape(len(x), -1)", normal(2, 4, 4, 1), normal(16, 3)),
    bad("linear: weight is (4,), which has 1 axes; give 2: (in, out)", normal(5, 4), normal(4)),
    bad("linear: bias is (4,); give (3,)", normal(5, 4), normal(4, 3), normal(4)),
    bad("linear: slope is -1; give 0 or more", normal(5, 4), normal(4, 3), activation="leaky_relu", slope=-1.0),
    wrong_type("linear: x is uint8; give float32 or float64", pixels(5, 4), normal(4, 3)),
    wrong_type("linear: weight is float32, but x is float64", values([[1.0]], "float64"), values([[1.0]], "float32")),
    ulps=20,
)

# ---- reductions ----------------------------------------------------------------------------------------------------

AXES: list[dict[str, Any]] = [
    {"axis": None},
    {"axis": 0},
    {"axis": -1, "keepdims": True},
    {"axis": 1},
    {"axis": (0, 2)},
    {"axis": (0, 2), "keepdims": True},
    {"axis": (1, 2)},
    {"axis": ()},
]


def reduction(op: str, reference: Callable[..., Any], *more: Case | Bad, **options: Any) -> None:
    tries = [case(distinct(3, 4, 5), **axes) for axes in AXES]
    tries += [case(distinct(2, 3, 2, 3), axis=(0, 2)), case(distinct(2, 3, 2, 3), axis=(1, 3), keepdims=True)]
    tries += [case(distinct(1, 6, 1), axis=(0, 2)), case(distinct(*HUGE), axis=0), case(distinct(*HUGE), axis=1)]
    row(
        op,
        reference,
        *tries,
        case(distinct(20, 30, 100), axis=(0, 2)),
        case(positive(*HUGE)),  # of one sign: nothing cancels
        bad(f"{op}: axis 3 is not an axis of x, which is (3, 4, 5)", normal(3, 4, 5), axis=3),
        bad(f"{op}: axis -3 is given twice", normal(3, 4, 5), axis=(0, -3)),
        plain(WHOLE, axis=1),
        plain(labels(90, 3, 4, 5), axis=(0, 2)),
        *([plain(pixels(3, 4, 5))] if op != "logsumexp" else []),  # NumPy takes exp of a uint8 in float16
        *more,
        **options,
    )


NANS = values([[1.0, np.nan, 3], [4, 5, np.inf]])
reduction(
    "sum",
    ref.sum_of,
    case(normal(0, 3), axis=0),
    case(normal(0, 3)),
    plain(NANS, axis=1),
    plain(NANS, axis=0),
    ulps=SUMS,
)
reduction("mean", ref.mean, plain(normal(0, 3), axis=0), plain(NANS, axis=1), ulps=SUMS)
for extreme, function in (("max", np.max), ("min", np.min)):
    reduction(
        extreme,
        function,
        plain(NANS, axis=1),
        plain(NANS, axis=0),
        case(normal(0, 3), axis=1),
        bad(f"{extreme}: x is (0, 3): no values have no {extreme}", normal(0, 3), axis=0),
        exact=True,
    )
reduction(
    "var",
    ref.var,
    case(normal(3, 4, 5), axis=1, correction=1),
    case(normal(3, 4, 5), axis=(0, 2), correction=1),
    plain(normal(1, 3), axis=0, correction=1),
    plain(NANS, axis=1),
    gradient_ulps=50,  # near the mean: a multiple of x - mean, whose mean is a rounded one
)
for truth, of_numpy in (("any", np.any), ("all", np.all)):
    row(
        truth,
        lambda x, axis=None, keepdims=False, of_numpy=of_numpy: of_numpy(x, axis=axis, keepdims=keepdims).astype(
            "uint8"
        ),
        *[case(values([[[0.0, 1], [0, 0]], [[0, np.nan], [-0.0, 2]], [[1, 1], [3, 4]]]), **axes) for axes in AXES],
        *[plain(mask(3, 4, 5), **axes) for axes in AXES],
        plain(ENDS),
        case(normal(*HUGE), axis=0),
        case(normal(0, 3)),
        case(normal(0, 3), axis=0),
        case(normal(0, 3), axis=1),
        case(normal()),
        bad(f"{truth}: axis 3 is not an axis of x, which is (3, 4, 5)", normal(3, 4, 5), axis=3),
        leaves=(),
        exact=True,
    )
row(
    "argmax",
    lambda x, axis=-1, keepdims=False: np.argmax(x, axis=axis, keepdims=keepdims),
    case(normal(3, 4, 5)),
    case(normal(3, 4, 5), axis=0),
    case(normal(3, 4, 5), axis=1, keepdims=True),
    case(normal(*HUGE), axis=1),
    case(normal(*HUGE), axis=0),
    plain(values([[1.0, 3, 3], [np.nan, 9, np.nan], [1, np.inf, np.inf]])),
    bad("argmax: axis 2 is not an axis of x, which is (3, 4)", normal(3, 4), axis=2),
    bad("argmax: x is (3, 0): axis 1 holds no values", normal(3, 0)),
    plain(ENDS),
    plain(pixels(3, 4, 5), axis=1),
    leaves=(),
    exact=True,
)

row(
    "one_hot",
    ref.one_hot,
    case(labels(5, 7), classes=5),
    case(labels(5, 2, 3), classes=6, dtype="float64"),
    case(labels(1), classes=1, dtype="uint8"),
    case(labels(4, 3, 1), classes=4, dtype="int64"),
    case(labels(3, 0), classes=3),
    case(labels(500, 300), classes=500),
    bad("one_hot: indices run 1..3 but class numbers start at 0", values([1, 3, 2], "int64"), classes=3),
    bad("one_hot: target 9 at row 1 is not below 3", values([0, 9], "int64"), classes=3),
    bad("one_hot: target -1 at row 0 is negative", values([-1, 2], "int64"), classes=3),
    bad("one_hot: classes is 0; give at least 1", labels(3, 2), classes=0),
    bad("one_hot: a tensor can have 0 to 8 axes, got 9", labels(3, *[1] * 8), classes=3),
    wrong_type("one_hot: indices is float", normal(3), classes=3),
    wrong_type("one_hot: the argument 'classes' is missing", labels(3, 2)),
    leaves=(),
    exact=True,
)

row(
    "cast",
    ref.cast,
    case(normal(3, 7), dtype="float64"),
    case(normal(*HUGE), dtype="float64"),
    case(normal(0, 3), dtype="float64"),
    plain(normal(3, 7), dtype="float32"),
    plain(values([*EXTREMES, 1e300, 0.1, -1e-300], "float64"), dtype="float32"),
    *[
        plain(values([*EXTREMES, 2.9, -2.9, 254.9, 255, 256, 1e18, 2.0**63, -(2.0**63), 1e300], "float64"), dtype=dtype)
        for dtype in ("uint8", "int64")
    ],
    plain(values(EXTREMES, "float32"), dtype="int64"),
    *[
        plain(values([0, 1, 255, 256, -1, 2**53 + 1, 2**63 - 1, -(2**63)], "int64"), dtype=dtype)
        for dtype in ("float32", "float64", "uint8", "int64")
    ],
    *[plain(pixels(3, 5), dtype=dtype) for dtype in ("float32", "float64", "uint8", "int64")],
    wrong_type("cast: the argument 'dtype' is missing", normal(3)),
    bad("cast: dtype must be 'float32', 'float64', 'uint8' or 'int64', got 'int8'", normal(3), dtype="int8"),
    exact=True,
)

# ---- shapes --------------------------------------------------------------------------------------------------------

row(
    "reshape",
    lambda x, shape: x.reshape(shape),
    case(normal(3, 4), shape=(2, 6)),
    case(normal(3, 4), shape=(2, -1, 3)),
    case(normal(), shape=(1, 1)),
    case(normal(1), shape=()),
    case(normal(0, 3), shape=(3, 0)),
    plain(labels(9, 3, 4), shape=(12,)),
    bad("reshape: x is (3, 4), 12 values, which do not fill (5, 3)", normal(3, 4), shape=(5, 3)),
    bad("which do not fill (5, -1)", normal(3, 4), shape=(5, -1)),
    bad("reshape: (-1, -1) has more than one -1", normal(3, 4), shape=(-1, -1)),
    bad("reshape: (-2, 6) is not a shape", normal(3, 4), shape=(-2, 6)),
    bad("could be anything", normal(0, 4), shape=(0, -1)),
    bad("is not a shape", normal(3, 4), shape=(2**40, 2**40)),
    exact=True,
)
row(
    "transpose",
    lambda x, axes=None: np.transpose(x, axes),
    case(normal(3, 4)),
    case(normal(2, 3, 4), axes=(1, 2, 0)),
    case(normal(2, 3, 4, 5), axes=(0, -1, 1, 2)),
    case(normal()),
    case(normal(0, 3)),
    case(normal(*HUGE)),
    case(normal(8, 50, 60, 3), axes=(0, 3, 1, 2)),
    plain(pixels(2, 3, 4), axes=(2, 0, 1)),
    plain(labels(9, 3, 4)),
    bad("transpose: axes (0, 1) do not name each axis of x once; x is (2, 3, 4)", normal(2, 3, 4), axes=(0, 1)),
    bad("transpose: axes (0, 0) name axis 0 twice", normal(3, 4), axes=(0, 0)),
    bad("transpose: axis 2 is not an axis of x", normal(3, 4), axes=(0, 2)),
    exact=True,
)
row(
    "concat",
    ref.concat,
    case(normal(3, 4), normal(2, 4)),
    case(normal(3, 4), normal(3, 1), normal(3, 2), axis=1),
    case(normal(3, 4, 2), normal(3, 5, 2), axis=-2),
    case(normal(3), normal(0)),
    case(normal(3, 4)),
    case(*[normal(2, 3) for _ in range(64)], axis=1),
    case(normal(*HUGE), normal(HUGE[0], 50), axis=1),
    plain(pixels(2, 3), pixels(1, 3)),
    plain(labels(9, 2, 3), labels(9, 1, 3)),
    bad(
        "concat: tensors[1] is (2, 5), but tensors[0] is (3, 4); they may differ in axis 0 only",
        normal(3, 4),
        normal(2, 5),
    ),
    bad("concat: axis 2 is not an axis of tensors[0]", normal(3, 4), axis=2),
    plain(values([1.0], "float32"), values([0.1], "float64")),
    plain(labels(9, 2, 3), pixels(1, 3), normal(1, 3)),
    leaves=tuple(range(64)),
    variadic=True,
    exact=True,
)
row(
    "stack",
    lambda *tensors, axis=0: np.stack(tensors, axis),
    case(normal(3, 4), normal(3, 4)),
    case(normal(3, 4), normal(3, 4), normal(3, 4), axis=1),
    case(normal(2, 3, 4), normal(2, 3, 4), axis=-1),
    case(normal(), normal()),
    case(normal(3)),
    case(normal(0, 3), normal(0, 3), axis=2),
    case(*[normal(2, 3) for _ in range(64)], axis=1),
    case(normal(*HUGE), normal(*HUGE), axis=1),
    plain(pixels(2, 3), labels(9, 2, 3)),
    plain(values([1.0], "float32"), values([0.1], "float64")),
    bad(
        "stack: tensors[1] is float32 (2, 5), but tensors[0] is float32 (3, 4); give one shape",
        normal(3, 4),
        normal(2, 5),
    ),
    bad("stack: axis 3 is not an axis of the result, which has 3", normal(3, 4), normal(3, 4), axis=3),
    bad("stack: a tensor can have 0 to 8 axes, got 9", normal(*[1] * 8)),
    leaves=tuple(range(64)),
    variadic=True,
    exact=True,
)
row(
    "flatten",
    ref.flatten,
    case(normal(3, 4)),
    case(normal(2, 3, 4), axis=1),
    case(normal(2, 3, 4), axis=-1),
    case(normal()),
    case(normal(3, 0, 2), axis=1),
    plain(labels(9, 3, 4)),
    bad("flatten: axis 2 is not an axis of x, which is (3, 4)", normal(3, 4), axis=2),
    bad("flatten: axis 1 is not an axis of x, which is ()", normal(), axis=1),
    exact=True,
)
row(
    "squeeze",
    lambda x, axis=None: np.squeeze(x, axis),
    case(normal(1, 3, 1, 4)),
    case(normal(1, 3, 1, 4), axis=0),
    case(normal(1, 3, 1, 4), axis=(0, -2)),
    case(normal(1, 1)),
    case(normal(3, 4)),
    case(normal()),
    case(normal(1, 0)),
    plain(pixels(1, 4)),
    bad("squeeze: axis 1 of x has length 3; only axes of length 1 go (x is (1, 3))", normal(1, 3), axis=1),
    bad("squeeze: axis 2 is not an axis of x, which is (1, 3)", normal(1, 3), axis=2),
    exact=True,
)
row(
    "unsqueeze",
    lambda x, axis: np.expand_dims(x, axis),
    case(normal(3, 4), axis=0),
    case(normal(3, 4), axis=1),
    case(normal(3, 4), axis=-1),
    case(normal(), axis=0),
    case(normal(0, 3), axis=-3),
    plain(labels(9, 3), axis=1),
    bad("unsqueeze: axis 3 is not an axis of the result, which has 3 (x is (3, 4))", normal(3, 4), axis=3),
    bad("unsqueeze: a tensor can have 0 to 8 axes, got 9", normal(*[1] * 8), axis=0),
    wrong_type("unsqueeze: the argument 'axis' is missing", normal(3)),
    exact=True,
)
row(
    "slice",
    ref.slices,
    case(normal(5, 4), slices=(slice(1, 3),)),
    case(normal(5, 4), slices=(slice(None), slice(0, None, 2))),
    case(normal(5, 4, 3), slices=(slice(None, None, -1), slice(-3, -1), slice(2, 0, -1))),
    case(normal(5, 4), slices=(slice(None, None, -2), slice(10, None, -3))),
    case(normal(5, 4), slices=(2,)),
    case(normal(5, 4), slices=(-1, slice(1, -1))),
    case(normal(5, 4), slices=(slice(3, 3),)),
    case(normal(5, 4), slices=(slice(7, 9), slice(-9, 2))),
    case(normal(*HUGE), slices=(slice(3, 60), slice(5, 900, 3))),
    plain(pixels(5, 4), slices=(slice(None), slice(1, 3))),
    plain(labels(9, 5, 4), slices=(slice(None, None, 2),)),
    exact=True,
)
row(
    "expand",
    lambda x, shape: np.broadcast_to(x, shape),
    case(normal(3, 1), shape=(3, 4)),
    case(normal(4), shape=(3, 4)),
    case(normal(), shape=(3, 4)),
    case(normal(3, 1, 2), shape=(5, 3, 4, 2)),
    case(normal(1, 3, 1), shape=(2, 3, 4)),
    case(normal(3, 4), shape=(3, 4)),
    case(normal(1, 3), shape=(0, 3)),
    case(normal(1, 300, 1), shape=(20, 300, 15)),
    plain(labels(9, 3, 1), shape=(3, 4)),
    bad("expand: x is (3, 4), which does not broadcast to (3, 5)", normal(3, 4), shape=(3, 5)),
    bad("expand: x is (3, 4), which does not broadcast to (4,)", normal(3, 4), shape=(4,)),
    exact=True,
    copies=False,
    gradient_ulps=SUMS,
)

row(
    "take",
    lambda x, indices: x[indices],
    case(normal(9, 4), labels(9, 6)),
    case(normal(9, 4, 3), labels(9, 2, 5)),
    case(normal(9, 17), labels(9)),
    case(normal(9), labels(9, 3, 2)),
    case(normal(9, 4), labels(9, 0)),
    case(normal(0, 4), labels(1, 0)),
    case(normal(9, 0), labels(9, 3)),
    case(normal(2, 33), labels(2, 700)),
    case(normal(300, 40), labels(300, 40, 50)),
    case(normal(900, 3), labels(7, 50)),
    plain(pixels(5, 2), labels(5, 3)),
    plain(labels(50, 5), labels(5, 3, 2)),
    bad(
        "take: value 3 of indices is 9, but x has rows 0..8 (x is (9, 4))",
        normal(9, 4),
        values([[0, 1], [2, 9]], "int64"),
    ),
    bad("take: value 0 of indices is -1", normal(9, 4), values([-1], "int64")),
    bad("take: x is (0, 4), which has no rows to take", normal(0, 4), values([0], "int64")),
    bad("take: x needs at least 1 axis", normal(), labels(1, 2)),
    bad("take: a tensor can have 0 to 8 axes, got 9", normal(*[1] * 5), labels(1, *[1] * 5)),
    wrong_type("take: indices is float", normal(9, 4), normal(2)),
    wrong_type("take: indices is uint8; give int64", normal(9, 4), mask(2)),
    leaves=(0,),
    exact=True,
    copies=False,
    gradient_ulps=20,  # one row after another
)

INFS = values([[np.inf, 1, -np.inf], [-np.inf] * 3, [np.inf, np.inf, 0], [np.nan, np.inf, 0]])
reduction(
    "logsumexp",
    ref.logsumexp,
    case(normal(5, 1), axis=1),
    case(normal(0, 3), axis=0),
    case(values([[1000.0, 1000, -1000], [-2000, -2000.5, -2001]]), axis=1),
    plain(INFS, axis=1),
    plain(INFS),
    plain(values([[0.0, -30], [-30, -31]]), axis=0),
    gradient_ulps=4,
    left_of=ref.logsumexp_left_of,
)

# ---- losses --------------------------------------------------------------------------------------------------------

for name, softmax in (("softmax", special.softmax), ("log_softmax", ref.log_softmax)):
    row(
        name,
        lambda x, axis=-1, softmax=softmax: softmax(x, axis=axis),
        case(normal(3, 5)),
        case(normal(3, 5), axis=0),
        case(normal(2, 4, 3, 5), axis=1),
        case(normal(2, 4, 3, 5), axis=-1),
        case(normal(3, 5, 1), axis=1),
        case(normal(3, 0, 5), axis=0),
        case(normal(47, 900), axis=0),
        case(normal(2, 4, 7)),
        case(normal(5)),
        case(normal(3, 1)),
        case(normal(0, 3)),
        case(normal(900, 47)),
        plain(values([[1000.0, 1001, 1002], [-1000, 0, 1000]])),
        bad(f"{name}: x needs at least 1 axis", normal()),
        bad(f"{name}: axis 2 is not an axis of x, which is (3, 4)", normal(3, 4), axis=2),
        plain(WHOLE),
        ulps=SUMS if name == "softmax" else 8,
        left_of=ref.log_softmax_left_of if name == "log_softmax" else None,
    )

row(
    "cross_entropy",
    ref.cross_entropy,
    case(normal(6, 5), labels(5, 6)),
    case(normal(6, 5), labels(5, 6, 1), reduction="sum"),
    case(normal(6, 5), labels(5, 6), reduction="none"),
    case(normal(2, 3, 5), labels(5, 2, 3), positive(2, 3)),
    case(normal(6, 5), labels(5, 6), positive(6), positive(5)),
    case(normal(6, 5), labels(5, 6), None, positive(5), label_smoothing=0.1, reduction="none"),
    case(normal(6, 5), labels(5, 6), positive(6, 1), label_smoothing=0.2),
    case(normal(6, 5), values([0, 4, 2, 2, 1, 3], "int64"), positive(6), positive(5), ignore=2),
    case(normal(3, 5), values([0, -1, 3], "int64"), ignore=-1, reduction="sum"),
    case(normal(6, 5), chances(6, 5)),
    case(normal(6, 5), chances(6, 5), positive(6), positive(5), label_smoothing=0.1),
    case(normal(5), labels(5)),
    case(normal(900, 47), labels(47, 900), label_smoothing=0.1),
    plain(values([[1000.0, 0, -1000]]), values([1], "int64")),
    plain(normal(2, 5), values([3, 3], "int64"), ignore=3),
    bad(
        "cross_entropy: targets run 1..10 but class numbers start at 0 for 10 classes: pass y - 1",
        normal(3, 10),
        values([10, 1, 2], "int64"),
    ),
    bad("cross_entropy: target 12 at row 2 is not below 10", normal(3, 10), values([0, 1, 12], "int64")),
    bad("cross_entropy: target -1 at row 1 is negative", normal(3, 10), values([0, -1, 2], "int64")),
    bad(
        "cross_entropy: targets is (4,), but logits is (3, 10); give one value for each row: (3,)",
        normal(3, 10),
        labels(10, 4),
    ),
    bad("cross_entropy: targets is (3, 9); give (3, 10)", normal(3, 10), chances(3, 9)),
    bad("cross_entropy: row_weights is (2,)", normal(3, 10), labels(10, 3), positive(2)),
    bad("cross_entropy: class_weights is (9,); give (10,)", normal(3, 10), labels(10, 3), None, positive(9)),
    bad("cross_entropy: logits is (3, 1); give (..., C) with at least 2 classes", normal(3, 1), labels(1, 3)),
    bad("cross_entropy: label_smoothing is 2", normal(3, 10), labels(10, 3), label_smoothing=2.0),
    bad("give such rows the weight 0", normal(3, 10), chances(3, 10), ignore=1),
    bad("reduction", normal(3, 10), labels(10, 3), reduction="average"),
    wrong_type('class numbers are int64: use targets.astype("int64")', normal(3, 10), normal(3)),
    wrong_type('class numbers are int64: use targets.astype("int64")', normal(3, 10), pixels(3)),
    wrong_type("cross_entropy: logits is int64", labels(5, 3, 10), labels(10, 3)),
    leaves=(0,),
    gradient_ulps=SUMS,
)
row(
    "binary_cross_entropy",
    ref.binary_cross_entropy,
    case(normal(6), unit(6)),
    case(normal(6), labels(2, 6)),
    case(normal(6, 1), labels(2, 6), positive(6)),
    case(normal(6, 3), unit(6, 3), positive(6, 1)),
    case(normal(6, 3), labels(2, 6, 3), reduction="none"),
    case(normal(6, 3), unit(6, 3), reduction="sum"),
    case(normal(), unit()),
    case(normal(*HUGE), unit(*HUGE)),
    plain(values([1000.0, -1000, 0]), values([0.0, 0, 1])),
    bad("binary_cross_entropy: target 2 at row 1 is outside 0..1", normal(3), values([0, 2, 1], "int64")),
    bad("at row 1 is outside 0..1", normal(2, 2), values([[0.0, 1], [0, -0.5]])),
    bad("target nan at row 0", normal(1), values([np.nan])),
    bad("binary_cross_entropy: targets is (3,), but logits is (3, 2); give one shape", normal(3, 2), unit(3)),
    bad("row_weights is (2,)", normal(3), unit(3), positive(2)),
    bad("binary_cross_entropy: logits is (3, 0); a row of no values has no loss", normal(3, 0), unit(3, 0)),
    wrong_type("binary_cross_entropy: targets is uint8", normal(3), mask(3)),
    leaves=(0,),
)
for name, reference in (("mse", ref.mse), ("mae", ref.mae), ("huber", ref.huber)):
    more = [
        case(normal(6, 3), normal(6, 3), positive(6), delta=0.4),
        case(away(40), values(np.zeros(40)), delta=2.5, reduction="sum"),
        plain(values([1.0, -1, 3, -np.inf, np.nan]), values(np.zeros(5)), reduction="none"),
        bad("huber: delta is 0; give a value greater than 0", normal(6), normal(6), delta=0.0),
        bad("huber: delta is inf", normal(6), normal(6), delta=np.inf),
    ]
    row(
        name,
        reference,
        case(normal(6), normal(6)),
        case(normal(6, 1), normal(6), positive(6)),
        case(normal(6, 3, 2), normal(6, 3, 2), positive(6)),
        case(normal(6, 3), normal(6, 3), reduction="none"),
        case(normal(6, 3), normal(6, 3), positive(6), reduction="sum"),
        case(normal(), normal()),
        case(normal(*HUGE), normal(*HUGE)),
        bad(f"{name}: targets is (6,), but x is (6, 3); give one shape", normal(6, 3), normal(6)),
        bad(f"{name}: row_weights is (5,)", normal(6, 3), normal(6, 3), normal(5)),
        bad(f"{name}: x is (3, 0); a row of no values has no loss", normal(3, 0), normal(3, 0)),
        wrong_type(f"{name}: targets is int64", normal(6), labels(2, 6)),
        wrong_type(f"{name}: targets is float64, but x is float32", values([1.0], "float32"), values([1.0], "float64")),
        *(more if name == "huber" else ()),
        leaves=(0, 1),
    )
row(
    "accuracy",
    ref.accuracy,
    case(normal(60, 5), labels(5, 60)),
    case(normal(60, 5), labels(5, 60, 1), reduction="sum"),
    case(normal(6, 5), labels(5, 6), reduction="none"),
    case(normal(6, 5), labels(5, 6, 1), reduction="none"),
    case(normal(2, 3, 5), labels(5, 2, 3)),
    case(normal(60), labels(2, 60)),
    case(normal(60, 1), labels(2, 60), threshold=0.5),
    case(normal(60, 1), labels(2, 60, 1)),
    case(normal(6, 3), labels(2, 6, 3)),
    case(normal(20000, 10), labels(10, 20000)),
    bad("accuracy: target 5 at row 0 is not below 5", normal(2, 5), values([5, 0], "int64")),
    bad("accuracy: targets run 1..2", normal(2, 1), values([1, 2], "int64")),
    bad("accuracy: targets is (3,), but x is (2, 5)", normal(2, 5), labels(5, 3)),
    wrong_type("accuracy: targets is float", normal(2, 5), normal(2)),
    leaves=(),
)

# ---- images --------------------------------------------------------------------------------------------------------

row(
    "conv2d",
    ref.conv2d,
    case(normal(2, 6, 5, 3), normal(3, 3, 3, 4)),
    case(normal(2, 6, 5, 3), normal(3, 3, 3, 4), normal(4), padding="same", activation="tanh"),
    case(normal(2, 7, 8, 1), normal(5, 5, 1, 2), normal(2), stride=2, padding="same", activation="relu"),
    case(normal(2, 6, 7, 2), normal(2, 3, 2, 3), stride=(2, 3), padding=((0, 1), (2, 1)), activation="sigmoid"),
    case(normal(1, 5, 5, 2), normal(3, 3, 2, 2), normal(2), padding=2, activation="leaky_relu", slope=0.1),
    case(normal(2, 5, 6, 3), normal(1, 1, 3, 5), normal(5), padding=(0, 1)),
    case(normal(1, 3, 3, 1), normal(3, 3, 1, 1)),
    case(normal(1, 2, 3, 1), normal(5, 5, 1, 2), padding="same"),
    case(normal(1, 9, 4, 2), normal(1, 2, 2, 3), stride=3),
    case(normal(0, 5, 5, 1), normal(3, 3, 1, 2), normal(2)),
    case(normal(8, 14, 14, 8), normal(5, 5, 8, 16), normal(16), padding="same", activation="relu"),
    case(normal(16, 28, 28, 1), normal(5, 5, 1, 33), normal(33)),
    case(normal(2, 9, 8, 3), normal(3, 3, 3, 4), normal(4), activation="tanh", pool=2),
    case(normal(3, 8, 9, 2), normal(3, 2, 2, 5), padding="same", stride=(1, 2), pool=(3, 2)),
    case(normal(2, 7, 7, 1), normal(3, 3, 1, 3), normal(3), activation="relu", pool=(5, 1)),
    case(normal(0, 5, 5, 1), normal(3, 3, 1, 2), normal(2), pool=2),
    plain(normal(180, 30, 30, 1), normal(3, 3, 1, 5), normal(5), activation="relu", padding="same", pool=2),
    plain(normal(50, 30, 30, 3), normal(3, 3, 3, 14), normal(14), activation="leaky_relu", pool=(2, 3)),
    bad("conv2d: pool is (0, 2); give sizes of at least 1", normal(1, 8, 8, 1), normal(5, 5, 1, 8), pool=(0, 2)),
    bad("conv2d: pool is (-1, -1)", normal(1, 8, 8, 1), normal(5, 5, 1, 8), pool=-1),
    bad(
        "conv2d: pool is (20, 20); give sizes of at least 1, at most 256",
        normal(1, 40, 40, 1),
        normal(5, 5, 1, 8),
        pool=20,
    ),
    bad(
        "conv2d: a 5 x 5 pool does not fit into the 4 x 4 result (x is", normal(1, 8, 8, 1), normal(5, 5, 1, 8), pool=5
    ),
    bad(
        "conv2d: weight has 3 input channels, x has 1 (x is (32, 28, 28, 1), weight is (5, 5, 3, 16))",
        normal(32, 28, 28, 1),
        normal(5, 5, 3, 16),
    ),
    bad(
        "conv2d: x is (64, 1, 28, 28), which looks channels-first: use x.transpose(0, 2, 3, 1)",
        normal(64, 1, 28, 28),
        normal(5, 5, 1, 8),
    ),
    bad("conv2d: x is (28, 28, 1), which has 3 axes; give 4: (N, H, W, C)", normal(28, 28, 1), normal(5, 5, 1, 8)),
    bad("conv2d: weight is (5, 5, 8), which has 3 axes; give 4: (KH, KW, C, O)", normal(1, 28, 28, 1), normal(5, 5, 8)),
    bad("conv2d: a 5 x 5 kernel does not fit into a 3 x 4 image", normal(1, 3, 4, 1), normal(5, 5, 1, 8)),
    bad("conv2d: bias is (1,); give (8,)", normal(1, 8, 8, 1), normal(5, 5, 1, 8), normal(1)),
    bad("conv2d: stride is (0, 0)", normal(1, 8, 8, 1), normal(5, 5, 1, 8), stride=0),
    bad("conv2d: padding (top, left) is (-1, -1)", normal(1, 8, 8, 1), normal(5, 5, 1, 8), padding=-1),
    bad("'same', 'valid'", normal(1, 8, 8, 1), normal(5, 5, 1, 8), padding="full"),
    bad("relu", normal(1, 8, 8, 1), normal(5, 5, 1, 8), activation="rellu"),
    wrong_type("conv2d: x is uint8; give float32 or float64", pixels(1, 8, 8, 1), normal(5, 5, 1, 8)),
    ulps=40,
    gradient_ulps=60,
)


row(
    "depthwise_conv2d",
    ref.depthwise_conv2d,
    case(normal(2, 6, 5, 3), normal(3, 3, 3, 1)),
    case(normal(2, 6, 5, 3), normal(3, 3, 3, 2), normal(6), padding="same", activation="tanh"),
    case(normal(2, 7, 8, 1), normal(5, 5, 1, 2), normal(2), stride=2, padding="same", activation="relu"),
    case(normal(2, 6, 7, 2), normal(2, 3, 2, 3), stride=(2, 3), padding=((0, 1), (2, 1)), activation="sigmoid"),
    case(normal(1, 5, 5, 2), normal(3, 3, 2, 1), normal(2), padding=2, activation="leaky_relu", slope=0.1),
    case(normal(2, 5, 6, 3), normal(1, 1, 3, 1), normal(3), padding=(0, 1)),
    case(normal(1, 2, 3, 1), normal(5, 5, 1, 1), padding="same"),
    case(normal(1, 9, 4, 2), normal(1, 2, 2, 1), stride=3),
    case(normal(0, 5, 5, 1), normal(3, 3, 1, 2), normal(2)),
    case(normal(4, 14, 15, 33), normal(3, 3, 33, 1), normal(33), padding="same", activation="relu"),
    case(normal(4, 14, 15, 16), normal(5, 5, 16, 1), stride=2, padding="same"),
    case(normal(16, 28, 28, 8), normal(3, 3, 8, 2), normal(16), padding="same"),
    bad(
        "depthwise_conv2d: weight has 3 channels, x has 1 (x is (32, 28, 28, 1), weight is (5, 5, 3, 16))",
        normal(32, 28, 28, 1),
        normal(5, 5, 3, 16),
    ),
    bad(
        "depthwise_conv2d: x is (64, 3, 28, 28), which looks channels-first: use x.transpose(0, 2, 3, 1)",
        normal(64, 3, 28, 28),
        normal(5, 5, 3, 1),
    ),
    bad(
        "depthwise_conv2d: x is (9, 9, 1), which has 3 axes; give 4: (N, H, W, C)", normal(9, 9, 1), normal(5, 5, 1, 8)
    ),
    bad("depthwise_conv2d: weight is (5, 5, 8), which has 3 axes", normal(1, 28, 28, 1), normal(5, 5, 8)),
    bad("depthwise_conv2d: a 5 x 5 kernel does not fit into a 3 x 4 image", normal(1, 3, 4, 1), normal(5, 5, 1, 8)),
    bad("depthwise_conv2d: bias is (4,); give (8,)", normal(1, 8, 8, 4), normal(5, 5, 4, 2), normal(4)),
    bad("depthwise_conv2d: stride is (0, 0)", normal(1, 8, 8, 1), normal(5, 5, 1, 8), stride=0),
    wrong_type("depthwise_conv2d: x is uint8; give float32 or float64", pixels(1, 8, 8, 1), normal(5, 5, 1, 8)),
    ulps=SUMS,
    gradient_ulps=24,
)


def pool(op: str, reference: Callable[..., Any], *more: Case | Bad, **options: Any) -> None:
    row(
        op,
        reference,
        case(distinct(2, 4, 6, 3)),
        case(distinct(2, 5, 7, 3), size=2),
        case(distinct(2, 6, 6, 1), size=3, stride=2),
        case(distinct(1, 7, 5, 2), size=(3, 2), stride=(1, 2), padding="same"),
        case(distinct(1, 7, 5, 17), size=3, stride=2, padding=1),
        case(distinct(1, 5, 5, 2), size=3, padding=((2, 0), (0, 1))),
        case(distinct(0, 4, 4, 1)),
        case(distinct(8, 28, 28, 16)),
        case(distinct(8, 27, 28, 5), size=3, stride=2, padding="same"),
        bad(f"{op}: a 5 x 5 window does not fit into a 4 x 4 image", normal(1, 4, 4, 1), size=5),
        bad(f"{op}: x is (4, 4, 1), which has 3 axes; give 4: (N, H, W, C)", normal(4, 4, 1)),
        bad(
            f"{op}: padding ((2, 2), (2, 2)) must be less than the window's size (2, 2)", normal(1, 4, 4, 1), padding=2
        ),
        bad(f"{op}: window is (0, 0)", normal(1, 4, 4, 1), size=0),
        bad(f"{op}: stride is (-1, -1)", normal(1, 4, 4, 1), stride=-1),
        wrong_type(f"{op}: x is uint8", pixels(1, 4, 4, 1)),
        *more,
        **options,
    )


pool(
    "max_pool2d",
    ref.max_pool2d,
    plain(values(np.float64([[np.nan, 1], [-np.inf, 2]]).reshape(1, 2, 2, 1))),
    plain(values(np.full((1, 2, 2, 1), -np.inf))),
    bad("max_pool2d: size is (17, 17); a window has at most 256 cells", normal(1, 20, 20, 1), size=17),
    exact=True,
    copies=False,
)
pool("avg_pool2d", ref.avg_pool2d)
row(
    "global_avg_pool2d",
    lambda x: ref.mean(x, axis=(1, 2)),
    case(normal(2, 5, 4, 3)),
    case(normal(1, 1, 1, 1)),
    case(normal(0, 5, 4, 3)),
    case(normal(16, 14, 14, 32)),
    case(normal(2, 90, 70, 3)),  # summed in cuts
    bad("global_avg_pool2d: x is (2, 3), which has 2 axes", normal(2, 3)),
    bad("images without pixels have no mean", normal(2, 0, 3, 1)),
    wrong_type("global_avg_pool2d: x is uint8", pixels(1, 4, 4, 1)),
    ulps=SUMS,
)

# ---- norms, dropout, gather -----------------------------------------------------------------------------------------


def channels(c: int) -> tuple[Draw, ...]:
    return normal(c), normal(c), normal(c), positive(c)


row(
    "batch_norm",
    ref.batch_norm,
    case(normal(6, 3), *channels(3)),
    case(normal(6, 3), *channels(3), training=True),
    case(normal(2, 4, 3, 5), *channels(5), training=True, activation="relu"),
    case(normal(2, 4, 3, 5), *channels(5), normal(2, 4, 3, 5), training=True, activation="tanh", epsilon=0.1),
    case(normal(2, 4, 3, 5), *channels(5), normal(2, 4, 3, 5), activation="leaky_relu", slope=0.2),
    case(normal(2, 3, 5), *channels(5), normal(2, 3, 5), training=True),
    case(normal(6, 3), *channels(3), activation="sigmoid"),
    case(normal(0, 3), *channels(3)),
    case(normal(16, 14, 14, 33), *channels(33), normal(16, 14, 14, 33), training=True, activation="relu"),
    bad(
        "batch_norm: gamma is (4,), x has 3 channels (x is (6, 3)); give (3,)",
        normal(6, 3),
        normal(4),
        *channels(3)[1:],
    ),
    bad("batch_norm: x is (3,); give at least 2 axes", normal(3), *channels(3)),
    bad("training needs at least 2 values a channel", normal(1, 3), *channels(3), training=True),
    bad("batch_norm: residual is (3, 6); give (6, 3)", normal(6, 3), *channels(3), normal(3, 6)),
    bad("batch_norm: momentum is 1.5; give a value from 0 to 1", normal(6, 3), *channels(3), momentum=1.5),
    bad("batch_norm: epsilon is 0; give a value greater than 0", normal(6, 3), *channels(3), epsilon=0.0),
    wrong_type("batch_norm: x is int64", labels(3, 6, 3), *channels(3)),
    leaves=(0, 1, 2, 5),
    gradient_ulps=SUMS,
)
row(
    "layer_norm",
    ref.layer_norm,
    case(normal(6, 3), normal(3), normal(3)),
    case(normal(2, 4, 17), normal(17), normal(17), epsilon=0.1),
    case(normal(5), normal(5), normal(5)),
    case(normal(4, 1), normal(1), normal(1)),
    case(normal(0, 3), normal(3), normal(3)),
    case(normal(2, 0, 3), normal(3), normal(3)),
    case(normal(700, 100), normal(100), normal(100)),
    case(normal(20, 3001), normal(3001), normal(3001)),
    case(normal(9000, 7), normal(7), normal(7)),
    plain(NANS, normal(3), normal(3)),
    bad("layer_norm: gamma is (4,), x has 3 values a row (x is (6, 3)); give (3,)", normal(6, 3), normal(4), normal(3)),
    bad("layer_norm: beta is (1, 3)", normal(6, 3), normal(3), normal(1, 3)),
    bad("layer_norm: x needs at least 1 axis", normal(), normal(1), normal(1)),
    bad("layer_norm: x is (3, 0); rows of no values have no mean", normal(3, 0), normal(0), normal(0)),
    bad("layer_norm: epsilon is 0; give a value greater than 0", normal(6, 3), normal(3), normal(3), epsilon=0.0),
    wrong_type("layer_norm: x is int64", labels(3, 6, 3), normal(3), normal(3)),
    wrong_type(
        "layer_norm: beta is float64, but x is float32",
        values([[1.0]], "float32"),
        values([1.0], "float32"),
        values([1.0], "float64"),
    ),
    ulps=20,
    left_of=ref.layer_norm_left_of,
)
row(
    "dropout",
    ref.dropout,
    case(normal(3, 7)),
    case(normal(3, 2, 5), rate=0.25, seed=3, stream=2**63 + 5, step=7, first=1000),
    case(normal(3, 7), values([5, 2**40, 5], "int64"), rate=0.6, seed=2**64 - 1),
    case(normal(5), rate=0.0),
    case(normal(3, 4), first=2**63 - 2),
    case(normal(0, 3)),
    case(normal(40, 500), rate=0.1, step=2**32 - 1),
    bad("dropout: rate is 1; give the fraction to drop, 0 <= rate < 1", normal(3, 7), rate=1.0),
    bad("dropout: step is -1", normal(3, 7), step=-1),
    bad("dropout: samples is (2,); give (3,)", normal(3, 7), labels(9, 2)),
    bad("dropout: x needs at least 1 axis", normal()),
    wrong_type("dropout: samples is float", normal(3, 7), normal(3)),
    wrong_type("dropout: x is int64", labels(9, 3, 7)),
    leaves=(0,),
)
SMALL = values([0.3, 0.5, 0.1])
row(
    "gather",
    ref.gather,
    case(normal(9, 4, 3), labels(9, 6)),
    case(normal(9, 4, 3), labels(9, 6), SMALL, SMALL),
    case(normal(9), labels(9, 6), values(0.3), values([0.5])),
    case(labels(50, 9, 4), labels(9, 6)),
    case(normal(9, 4), labels(9, 0)),
    case(normal(100, 900), labels(100, 80)),
    bad("gather: rows[1] is 9, but x has rows 0..8 (x is (9, 4))", normal(9, 4), values([0, 9], "int64")),
    bad("gather: rows[0] is -1", normal(9, 4), values([-1], "int64")),
    bad("gather: scale is missing; give both mean and scale, or neither", normal(9, 3), labels(9, 2), SMALL),
    bad(
        "gather: mean is (3,); give one number, or one for each of the last axis of x",
        normal(9, 4),
        labels(9, 2),
        SMALL,
        SMALL,
    ),
    bad("gather: mean is (3,) and scale is (1,); give one shape", normal(9, 3), labels(9, 2), SMALL, values([0.5])),
    bad("gather: x needs at least 1 axis", normal(), labels(1, 2)),
    bad("gather: rows is (2, 1)", normal(9, 4), labels(9, 2, 1)),
    wrong_type("gather: rows is float", normal(9, 4), normal(2)),
    wrong_type("gather: x is int64, which is not normalised", labels(9, 9, 3), labels(9, 2), SMALL, SMALL),
    wrong_type(
        "gather: mean is float64",
        values([[1.0]], "float32"),
        labels(1, 2),
        values(0.3, "float64"),
        values(0.3, "float64"),
    ),
    leaves=(),
)
WARP: dict[str, Any] = {"shift": 0.3, "rotate": 40.0, "scale": 0.3, "shear": 0.4, "flip": True}
TONES: dict[str, Any] = {"gamma": 0.4, "brightness": 0.3, "contrast": 0.5}
row(
    "augment",
    ref.augment,
    case(positive(9, 6, 5, 2), labels(9, 4)),
    case(positive(9, 6, 5, 2), labels(9, 4), **WARP, seed=3, stream=2**63 + 5, step=7),
    case(positive(9, 6, 5, 3), labels(9, 4), values([5, 2**40, 5, -1], "int64"), SMALL, SMALL, **WARP, seed=2**64 - 1),
    case(positive(9, 6, 5, 1), labels(9, 6), None, values(0.3), values([0.5]), **WARP, **TONES, step=2**32 - 1),
    case(positive(9, 12, 14, 1), labels(9, 6), **WARP, erase=1.0, standardize=True),
    case(positive(9, 12, 14, 2), labels(9, 20), **TONES, erase=0.5),
    case(positive(9, 1, 1, 2), labels(9, 4), **WARP, **TONES, erase=1.0),
    case(positive(9, 6, 1, 2), labels(9, 4), shift=1.0, rotate=180.0, scale=0.9, shear=1.0),
    case(positive(9, 6, 5, 2), labels(9, 0)),
    case(positive(9, 0, 5, 2), labels(9, 3)),
    case(positive(9, 6, 5, 0), labels(9, 3)),
    case(positive(40, 16, 17, 2), labels(40, 80), **WARP),
    bad("give 4: images (n, height, width, channels)", normal(9, 4), labels(9, 2)),
    bad("augment: rows[1] is 9, but x has rows 0..8", normal(9, 4, 4, 1), values([0, 9], "int64")),
    bad("augment: factor is missing; give both mean and factor", normal(9, 4, 4, 3), labels(9, 2), None, SMALL),
    bad("augment: samples is (3,); give (2,)", normal(9, 4, 4, 3), labels(9, 2), labels(9, 3)),
    bad("standardize takes", normal(9, 4, 4, 3), labels(9, 2), None, SMALL, SMALL, standardize=True),
    bad("augment: rotate is 200; give degrees, from 0 to 180", normal(9, 4, 4, 3), labels(9, 2), rotate=200),
    bad("augment: shift is -0.1; give a fraction of the side", normal(9, 4, 4, 3), labels(9, 2), shift=-0.1),
    bad("augment: gamma is nan; give", normal(9, 4, 4, 3), labels(9, 2), gamma=np.nan),
    bad("augment: step is -1; give 0 to 2^32 - 1", normal(9, 4, 4, 3), labels(9, 2), step=-1),
    wrong_type("augment: x is int64; give uint8 pixels, or floats", labels(9, 9, 4, 4, 3), labels(9, 2)),
    wrong_type("augment: samples is float", normal(9, 4, 4, 3), labels(9, 2), normal(2)),
    leaves=(),
    ulps=100,  # in float64 the place of a pixel is rounded, too: by ulps of the side
)
