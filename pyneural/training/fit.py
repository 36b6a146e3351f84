"""fit.py -- fit: trains a model on data."""

from typing import Any

import pyneural.schedules as schedules
import pyneural.training.optimizers as optimizers
from pyneural.arguments.checks import is_whole, whole
from pyneural.arguments.familiar import OF_FIT
from pyneural.arguments.spelling import check_keywords
from pyneural.batching.inputs import check_model
from pyneural.models.model import Model
from pyneural.training.history import History
from pyneural.training.loop import Training
from pyneural.training.optimizers import Optimizer
from pyneural.training.plan import Losses, Metrics, Request
from pyneural.training.plan import plan as make_plan


@check_keywords(
    positional="give x and y as one pair, pn.fit(model, (x, y)), and all else by name, as epochs=5",
    **OF_FIT,
)
def fit(
    model: Model,
    data: Any,
    *,
    epochs: int = 5,
    batch_size: int = 64,
    optimizer: str | Optimizer = "adam",
    learning_rate: float | None = None,
    schedule: str | schedules.Schedule = "one-cycle",
    loss: Losses = "auto",
    metrics: Metrics = (),
    validation: Any = 0.1,
    preprocess: str | None = "auto",
    seed: int = 0,
    verbose: int = 1,
) -> History:
    """Trains a model; its best weights stay in it.

    A second fit goes on from the present weights, with a fresh optimizer.  Equal arguments and weights give equal
    weights, bit for bit, for any number of threads.  Ctrl-C ends the training and returns what there is.

    Args:
        model: a pn.Sequential or a pn.Model; built here where it is not.
        data: what pn.datasets gives, a pn.Dataset, arrays (x, y), the path of a folder of images (pn.datasets.folder),
            or batches: a list of pairs (x, y), or an object whose __iter__ gives such pairs anew each epoch, as loaders
            do.  x is uint8 (n, height, width, channels) or floats (n, ...), or a DataFrame; y class numbers or
            names (n,), one-hot rows (n, K), 0 and 1 for one output, or floats for values; for a model with heads a dict
            of these.  Whole numbers that do not count from 0 are names.
        epochs: passes over the data.
        batch_size: examples a step, the last one of an epoch perhaps fewer; one alone goes with those before it.  Where
            the data comes in batches, those are taken as they are.
        optimizer: a name ("sgd", "rmsprop", "adam", "adamw"), or pn.Adam(beta1=0.8).
        learning_rate: at the schedule's peak; None is one that suits the optimizer.
        schedule: "one-cycle", "cosine", "step", "constant", or a function (step, steps) -> multiplier.
        loss: "auto" (cross_entropy for classes, binary_cross_entropy for one output with labels 0 and 1, mse for
            values), a name ("mae" and "huber", too), or a function of (outputs, targets) that gives a scalar; or a dict
            of these by head, and their sum is trained.  "mse", "mae" and "huber" take class numbers for several outputs
            as one-hot rows, and the outputs as the model writes them: those are then its probabilities.  A function may
            weight its rows or leave some out, and divide by what it likes: for the means of the history it is called
            once more on up to 8,192 rows together.
        metrics: names or functions of (outputs, targets), shown beside the loss; or a dict of these by head.  Accuracy
            is there by itself.
        validation: a share of the training data (shuffled, stratified, seeded) that data.validation replaces where
            the data has it; a Dataset, (x, y) or batches; None or 0 for none.  Where the data has groups (patients,
            say), each goes to one side as a whole, and the first line says how many went where.  No share can be held
            back from batches; 0.1 of 5 examples or fewer is none, and so is 0.1 of a single group.
        preprocess: "dataset" (the training set's mean and deviation a channel), "image" (each image's own), None, or
            "auto": dataset for uint8, nothing for floats.  Saved, and obeyed by evaluate and predict.
        seed: of the initial weights, the split, the order and the dropout.
        verbose: 0 silent, 1 a line an epoch, 2 a line a step.

    Returns:
        The History; best is the lowest validation loss, or the last epoch without validation.  Of heads it has the
        losses and metrics by name (`top_loss`, `val_top_accuracy`) beside the summed `loss`.

    Raises:
        ValueError, TypeError: an argument, or the data, is wrong; before work starts.
        FloatingPointError: the loss became NaN or infinite.  After this, and after any other error while it is trained,
            the model has the best weights so far.

    >>> import pyneural as pn
    >>> x = np.linspace(-1, 1, 64, dtype=np.float32).reshape(-1, 1)
    >>> history = pn.fit(pn.Sequential(pn.Dense(8, "tanh"), pn.Dense(1)), (x, x * x), epochs=2, verbose=0)
    >>> history.epochs, history.steps
    (2, 2)
    """
    check_model(model, "fit")
    epochs = whole("fit", "epochs", epochs)
    batch_size = whole("fit", "batch_size", batch_size)
    if not is_whole(seed) or not 0 <= seed < 2**64:
        raise ValueError(f"fit: seed is {seed!r}: give a whole number of at least 0, and below 2**64")
    if verbose not in (0, 1, 2):
        raise ValueError(f"fit: verbose is {verbose!r}: give 0 (silent), 1 (a line an epoch) or 2 (a line a step)")
    rate_name = schedules.name(schedule)
    shape = schedules.find(schedule)
    recipe = optimizers.recipe(optimizer, learning_rate, rate_name)
    again = model.card.epochs
    seed = int(seed)
    plan = make_plan(model, data, Request(validation, preprocess, loss, metrics, seed, batch_size))
    training = Training(model, plan, recipe, shape, epochs, batch_size, seed, verbose)
    training.progress.parts(
        [*plan.words, f"{recipe.kind}, {rate_name} {recipe.learning_rate:g}", plan.batches, f"seed {seed}"]
    )
    if again:
        training.progress.say(f"going on from the weights of {again} epoch{'s' * (again > 1)}, with a fresh optimizer")
    return training.train()
