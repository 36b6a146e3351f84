"""fit.py -- fit: trains a model on data."""

import math
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pyneural._core as _core
import pyneural.schedules as schedules
import pyneural.training.optimizers as optimizers
from pyneural.arguments.checks import checked_seed, is_number, verbosity, whole, whole_or_auto
from pyneural.arguments.familiar_training import OF_FIT
from pyneural.arguments.spelling import check_keywords, choose
from pyneural.batching.augmentation import Augment
from pyneural.batching.inputs import check_model
from pyneural.callbacks.callback import checked
from pyneural.evaluation.chosen import outdated
from pyneural.models.model import Model
from pyneural.training.automatic_epochs import decided
from pyneural.training.averaging import checked_decay
from pyneural.training.best import KEPT
from pyneural.training.history import History
from pyneural.training.loop import Training
from pyneural.training.optimizers import Optimizer
from pyneural.training.plan import Losses, Metrics, Request
from pyneural.training.plan import plan as make_plan
from pyneural.training.resume import CheckpointFile
from pyneural.training.state import Options


@check_keywords(
    positional="give x and y as one pair, pn.fit(model, (x, y)), and the rest by name, such as epochs=5",
    **OF_FIT,
)
def fit(
    model: Model,
    data: Any,
    *,
    epochs: int | Literal["auto"] = "auto",
    batch_size: int | Literal["auto"] = "auto",
    optimizer: str | Optimizer = "adam",
    learning_rate: float | None = None,
    schedule: str | schedules.Schedule = "one-cycle",
    loss: Losses = "auto",
    metrics: Metrics | None = (),
    validation: Any = 0.1,
    preprocess: str | None = "auto",
    scale_targets: bool = True,
    augment: Augment | None = None,
    class_weight: Any = None,
    sample_weight: Any = None,
    balance: bool | str = False,
    loss_weights: Mapping[str, float] | None = None,
    label_smoothing: float = 0.0,
    test_time: str | None = None,
    ema: float | None = None,
    keep: str = "best",
    accumulate: int = 1,
    patience: int | None = None,
    seconds: float | None = None,
    callbacks: Any = (),
    checkpoint: str | Path | None = None,
    seed: int = 0,
    verbose: int = 1,
) -> History:
    """Trains a model, and restores its best weights at the end (`keep="last"`: the last ones).

    A second fit continues from the current weights, with a fresh optimizer.  Equal arguments and weights give
    bit-identical results for any number of threads.  Ctrl-C stops the training and returns the history so far.

    Args:
        model: a pn.Sequential or a pn.Model; fit builds it if necessary.
        data: the result of pn.datasets, a pn.Dataset, arrays (x, y), the path of a folder of images
            (pn.datasets.folder) or of an .npz (pn.datasets.npz), or batches: a list of pairs (x, y), or a re-iterable
            object such as a loader.  x is uint8 (n, height, width, channels) or floats (n, ...), or a DataFrame; y is
            class numbers or names (n,), one-hot rows or probabilities (n, K), 0 and 1 for one output, rows of 0 and 1
            (n, K) for several labels per example (docs/tables.md), or floats for regression; for a model with heads a
            dict of these.  Whole numbers other than 0..K-1 are class names.
        epochs: passes over the data; "auto": 5 from 10,000 training examples on, more for fewer, up to 1,000, with a
            patience of a third of them unless `patience` is given, there is no validation, or keep="last".  The first
            line shows what was chosen, docs/training.md has the formula.
        batch_size: examples per step; "auto": 32 for tables (n, F) of fewer than 10,000, else 64.  The last batch of
            an epoch may be smaller, and a single leftover example joins the batch before it.  Ignored if the data comes
            in batches.
        optimizer: a name ("sgd", "rmsprop", "adam", "adamw"), or pn.Adam(beta1=0.8).
        learning_rate: at the schedule's peak; None chooses by the optimizer and schedule.
        schedule: "one-cycle", "cosine", "step", "constant", or a function (step, steps) -> multiplier.
        loss: "auto" (cross_entropy for classes, binary_cross_entropy for one output with labels 0 and 1 and for several
            labels, mse for values), a name (also "mae" and "huber"), or a function of (outputs, targets) that returns a
            scalar; or a dict of these by head, whose sum is minimized.  "mse", "mae" and "huber" one-hot encode class
            numbers for several outputs, and take the outputs without softmax: those are then the probabilities.  A
            custom loss may weight or ignore rows, and divide by any total: for the means in the history it is called
            again on up to 8,192 rows at once.
        metrics: names or functions of (outputs, targets), shown beside the loss; or a dict of these by head.  Accuracy
            is always included for classes.
        validation: a share of the training data to hold out (shuffled, stratified, seeded), unless the data has a
            validation part; a Dataset, (x, y) or batches; None or 0 for none.  Groups (such as patients) are not
            split, and the first line shows their numbers.  The default is no validation for batches, for 5 examples
            or fewer, and for a single group.
        preprocess: "dataset" (mean and standard deviation per channel of the training set), "image" (of each image,
            deviations of at least 1e-6), None, or "auto": that of a trained model (or its first layers) in this one, if
            it reads x; else dataset for uint8 and for tables of floats (n, F), but None if all of these lie in 0..1 or
            a pn.Embedding looks them up, and None for other floats.  Saved, and applied by evaluate and predict.
        scale_targets: whether the targets of a regression are standardized in training, by the mean and deviation of
            each in the training rows, for the losses mse, mae and huber, and a last layer without activation.
            Predictions, losses and metrics have the units of the targets (huber has a delta of 1 deviation); a custom
            loss gets targets as they are.  Saved with the model; a second fit keeps the scale of the first.
        augment: random changes of the training images, new in each epoch, as pn.Augment(rotate=15, flip=True); None for
            none.  Validation, evaluate and predict take the images as they are (but see test_time).
        class_weight: how much each class counts in the training loss: "balanced" (n / (K * count) of the training
            examples, for the K classes that occur), or a dict by name or number, with 1 for missing classes; for heads
            "balanced" or a dict of these.  Of several labels, it weights that a label applies; "balanced" makes yes and
            no count alike.  See docs/training.md for the formula.
        sample_weight: (n,), how much each example of the training data counts in the losses of training and
            validation; an example of weight 0 is left out.  A Dataset may have it instead.
        balance: whether an epoch draws the same number of examples from each class, n / K; for a model with several
            heads of classes, the name of one.  An epoch stays n examples long.
        loss_weights: the factors of the heads' losses in the sum, by head, with 1 for missing heads.
        label_smoothing: s, from 0 to below 1: cross-entropy trains on targets (1 - s) y + s / K.  The validation loss
            is without it, as in pn.evaluate.
        test_time: "flip": pn.predict, pn.classify, pn.evaluate and the validation here average each image and its
            mirror image: the probability of a class is p(x) = (q(x) + q(mirrored x)) / 2, where q is that of one pass;
            of values the outputs are averaged.  Saved with the model; None for a single pass.  It is for images, and
            costs a second pass.  See model.test_time to change it later.
        ema: the decay per step of the running mean of the weights, such as 0.99; batch-norm statistics are averaged
            with them.  Validation, callbacks after an epoch, and the model at the end have the means.
        keep: the epoch whose weights the model has at the end: "best" or "last".  The last suits validation data that
            resembles the training data, but not the data that the model is made for.
        accumulate: batches per step of the optimizer.  The gradient is that of all of them together, the mean over
            their examples; clipping acts on it, and steps and schedule count these steps.
        patience: stops this many epochs after the lowest validation loss; needs validation.  The best epoch is that of
            the smoothed loss, which lags behind, so it may be a later one, even the last.
        seconds: a time budget.  The progress along the schedule is the larger one of steps / all steps and time /
            budget, and the training ends when either is used up; an epoch that is cut short is validated.  Such a
            training cannot be repeated bit for bit.
        callbacks: functions of (epoch, logs), called after each epoch, or instances of pn.callbacks.Callback.
        checkpoint: a file, such as "run.ckpt", which is written after every epoch (of more than 40 at most once a
            second) and every 30 seconds.  After the program was killed, the same call resumes from it, with the same
            bits as an uninterrupted training; if the training is complete, it returns its History at once.
        seed: the seed of the initial weights, the split, the order, dropout and augmentation.
        verbose: 0 silent, 1 one line per epoch (of more than 40 short ones, for about 20), 2 one line per step.

    Returns:
        The History; the best epoch has the lowest smoothed validation loss (an exponential mean over about 5 epochs),
        or is the last one without validation, and for keep="last".  With heads it has their losses and metrics
        (`top_loss`, `val_top_accuracy`) beside the total `loss`.

    Raises:
        RuntimeError: it is called inside pn.no_grad(), or another process trains with the checkpoint.
        ValueError, TypeError, OSError: an argument, or the data, is wrong, or the checkpoint belongs to another
            training; raised before training starts.
        FloatingPointError: the loss became NaN or infinite.  After this, and after any other error in training, the
            best weights so far are restored.

    >>> import pyneural as pn
    >>> x = np.linspace(-1, 1, 64, dtype=np.float32).reshape(-1, 1)
    >>> history = pn.fit(pn.Sequential(pn.Dense(8, "tanh"), pn.Dense(1)), (x, x * x), epochs=2, verbose=0)
    >>> history.epochs, history.steps
    (2, 4)
    """
    check_model(model, "fit")
    if not _core.is_recording():
        raise RuntimeError(
            "fit: gradients are off here, inside pn.no_grad() or in a metric of another fit: call fit outside of it"
        )
    options = _options(epochs, batch_size, seed, verbose, patience, seconds, ema, accumulate, keep)
    rate_name = schedules.name(schedule)
    shape = schedules.find(schedule)
    bound = optimizers.recipe(optimizer, learning_rate, rate_name)
    listeners = checked(callbacks)
    weights = class_weight, sample_weight, balance, loss_weights, label_smoothing, test_time
    request = Request(
        validation, preprocess, scale_targets, augment, loss, metrics, *weights, options.seed, options.batch_size
    )
    recipe = {"optimizer": optimizer, "learning_rate": learning_rate, "schedule": schedule}
    recipe |= request._asdict() | options.of_result() | {"callbacks": [*map(repr, listeners)]}
    again = model.card.epochs
    earlier = outdated(model.card.task)
    with CheckpointFile(checkpoint, model, recipe) as file:
        plan = make_plan(model, data, request, partial(_accept, file, options.patience))
        options, chosen = decided(options._replace(batch_size=plan.batch_size), plan)
        batches = f"{plan.batches} x {accumulate}" if accumulate > 1 else plan.batches
        training = Training(model, plan, bound, shape, options, listeners, file)
        rate = f"{bound.kind}, {rate_name} {bound.learning_rate:g}"
        averaged = [f"weights averaged, ema {options.ema:g}"] if options.ema else []
        training.progress.parts([*plan.words, *averaged, rate, batches, *chosen, f"seed {options.seed}"])
        if file.state is not None:
            training.resume(file.state)
        elif again:
            epochs_of = f"{again} epoch{'s' * (again > 1)}"
            training.progress.say(f"continuing from the weights of {epochs_of}, with a fresh optimizer")
            if earlier:
                training.progress.say(earlier)
        return training.train()


def _options(
    epochs: Any,
    batch_size: Any,
    seed: Any,
    verbose: Any,
    patience: Any,
    seconds: Any,
    ema: Any,
    accumulate: Any,
    keep: Any,
) -> Options:
    """Checks the arguments that the loop reads."""
    checked_seed("fit", seed)
    if seconds is not None and not (is_number(seconds) and 0 < seconds < math.inf):
        raise ValueError(f"fit: seconds is {seconds!r}: give a number of seconds above 0, or None for no limit")
    return Options(
        whole_or_auto("fit", "epochs", epochs),
        whole_or_auto("fit", "batch_size", batch_size),
        int(seed),
        verbosity("fit", verbose, "1 (one line per epoch) or 2 (one line per step)"),
        None if patience is None else whole("fit", "patience", patience, " (epochs), or None"),
        None if seconds is None else float(seconds),
        checked_decay(ema),
        whole("fit", "accumulate", accumulate),
        choose("fit: keep", keep, KEPT),
    )


def _accept(
    file: CheckpointFile, patience: int | None, identity: Callable[[], dict[str, str]], has_validation: bool
) -> None:
    """Raises an error if this data has no validation part for patience, or is not that of the checkpoint."""
    if patience is not None and not has_validation:
        raise ValueError(
            "fit: patience counts the epochs since the lowest validation loss, and there is no validation data: give "
            "validation=, or callbacks=[pn.callbacks.EarlyStopping('loss')]"
        )
    file.check_data(identity)
