"""augmentation.py -- Augment: random changes of training images, made by the engine as it gathers a batch."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Self

import numpy as np

import pyneural._core as _core
import pyneural.ops as ops
from pyneural._core import Tensor
from pyneural.arguments.checks import is_number
from pyneural.arguments.familiar_training import OF_AUGMENT
from pyneural.arguments.spelling import check_known
from pyneural.card.preprocessing import Preprocessing

AugmentedGather = Callable[..., Tensor]  # of x, rows, and the sample numbers, `samples`
_MOST = {  # the unit and the greatest value of each strength
    "shift": ("a fraction of the sides", 1.0),
    "rotate": ("degrees", 180.0),
    "scale": ("a fraction of the size", 0.9),
    "shear": ("a slope", 1.0),
    "gamma": ("the logarithm of an exponent", 3.0),
    "brightness": ("a fraction of the range", 1.0),
    "contrast": ("a fraction of the contrast", 1.0),
    "erase": ("a share of the images", 1.0),
}


@dataclass(frozen=True, kw_only=True)
class Augment:
    """Random changes of training images, for pn.fit(augment=pn.Augment()); 0 or False switches one off.

    Every epoch changes each image anew.  Below, u is a uniform random number between -1 and 1, drawn anew for
    each use: a function of the seed, the epoch and the number of the example, independent of the batch size and the
    number of threads.  First, one affine map about the middle of the image moves the pixels (bilinear; outside
    the image, the nearest pixel of its edge).  Then the tones change: p is the place of a value between black and
    white, which are 0 and 255 for uint8, and the smallest and the largest value of the image for floats.  Then a
    rectangle is erased, and last comes the preprocessing of pn.fit.

    Args:
        shift: moves by u shift of the width to the side, and by u shift of the height up or down; 0 to 1.
        rotate: turns by u rotate degrees; 0 to 180.
        scale: changes the size by the factor 1 + u scale; 0 to 0.9.
        shear: slants: each row moves to the side by u shear of its distance from the middle row; 0 to 1.
        flip: mirrors half of the images, left to right.  Not for digits and letters.
        gamma: p becomes p ** exp(u gamma); 0 to 3.
        brightness: adds u brightness to p, for all pixels alike; p stays within 0 to 1; 0 to 1.
        contrast: the distances from the mean of p change by the factor 1 + u contrast; 0 to 1.
        erase: the share of the images of which a rectangle becomes the image's mean (2 % to 20 % of the area, uniform;
            sides with a proportion of up to 3); 0 to 1.  Source: Zhong et al., Random Erasing, 2020.

    Raises:
        TypeError, ValueError: a strength is not a number in its range.

    >>> import pyneural as pn
    >>> pn.Augment(rotate=15, flip=True).rotate
    15.0
    """

    shift: float = 0.1
    rotate: float = 10.0
    scale: float = 0.1
    shear: float = 0.1
    flip: bool = False
    gamma: float = 0.3
    brightness: float = 0.2
    contrast: float = 0.2
    erase: float = 0.0

    def __new__(cls, *positional: object, **strengths: object) -> Self:
        """Checks the strengths."""
        check_known("Augment", strengths, cls.__dataclass_fields__, OF_AUGMENT)
        if positional:
            raise TypeError(f"Augment() takes no positional arguments, got {positional[0]!r}: write Augment(rotate=10)")
        return super().__new__(cls)

    def __post_init__(self) -> None:
        if not isinstance(self.flip, bool | np.bool_):
            raise TypeError(f"Augment: flip is {self.flip!r}: give True, which mirrors half of the images, or False")
        object.__setattr__(self, "flip", bool(self.flip))
        for name, (unit, most) in _MOST.items():
            value = getattr(self, name)
            if not is_number(value) or isinstance(value, bool | np.bool_):
                raise TypeError(f"Augment: {name} is {value!r}: give {unit}, from 0 (off) to {most:g}")
            if not 0 <= value <= most:  # NaN is not
                raise ValueError(f"Augment: {name} is {value!r}: give {unit}, from 0 (off) to {most:g}")
            object.__setattr__(self, name, float(value))

    def __str__(self) -> str:
        strengths = [f"{name} {value:g}" for name, value in asdict(self).items() if value and name != "flip"]
        return ", ".join(strengths + ["flip"] * self.flip) or "nothing"


def augmented_gather(
    augment: Augment, preprocessing: Preprocessing, given: Any, dtype: str, seed: int, epoch: int
) -> AugmentedGather:
    """A function of (x, rows, sample numbers) that gives the augmented and preprocessed batch of an epoch.

    Args:
        augment: the changes.
        preprocessing: the preprocessing of x.
        given: the NumPy dtype of x.
        dtype: the dtype of the batch.
        seed: the seed of the random numbers.
        epoch: the number of the epoch.
    """
    within = preprocessing.within(given, dtype)
    made: dict[str, Any] = asdict(augment) | {"seed": seed, "stream": "augment", "step": epoch, "dtype": within}
    if preprocessing.kind == "dataset":
        made["mean"], made["factor"] = map(_core.borrow, preprocessing.scaling(within))
    made["standardize"] = preprocessing.kind == "image"
    prepare: AugmentedGather = partial(ops.augment, **made)
    return prepare if within == dtype else partial(_rounded, prepare, dtype)


def check_augment(who: str, augment: object) -> None:
    """Checks an argument that is a pn.Augment or None.

    Raises:
        TypeError: it is neither of them.
    """
    if augment is not None and not isinstance(augment, Augment):
        given = "the class pn.Augment" if augment is Augment else repr(augment)
        raise TypeError(f"{who}: augment is {given}: give pn.Augment(), pn.Augment(rotate=15, flip=True), or None")


def check_images(augment: Augment | None, shape: tuple[int, ...]) -> None:
    """Checks that the inputs of fit, (n, *shape), are images if they are to be augmented.

    Raises:
        ValueError: they are not.
    """
    if augment is not None and len(shape) != 3:
        fix = "give x[..., None] for greyscale images" if len(shape) == 2 else "leave it out"
        given = ", ".join(map(str, shape))
        raise ValueError(f"fit: augment is for images (n, height, width, channels), and x is (n, {given}): {fix}")


def _rounded(prepare: AugmentedGather, dtype: str, x: Tensor, rows: Tensor, samples: Tensor) -> Tensor:
    return ops.cast(prepare(x, rows, samples), dtype)
