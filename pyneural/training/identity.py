"""identity.py -- the data of a training, by its hashes, so that a checkpoint is not resumed with other data."""

from pyneural.arguments.arrays import hash_of
from pyneural.batching.sources import Encode, Rows, Source
from pyneural.card.preprocessing import Preprocessing
from pyneural.evaluation.heads import Head


def identity(
    digest: str,
    batches: str,
    train: Source,
    held: Source | None,
    heads: tuple[Head, ...],
    preprocessing: Preprocessing,
    encode: Encode,
) -> dict[str, str]:
    """What determines a training besides the arguments of fit, by its name in messages.

    Args:
        digest: that of the training data.
        batches: the number of batches, and of examples in the smallest.
        train: the training data.
        held: the validation data, or None.
        heads: the heads of the model.
        preprocessing: that of the inputs.
        encode: encodes labels.
    """
    rows = [part.rows for part in (train, held) if isinstance(part, Rows)]
    weights = [part.weights for part in (train, held) if isinstance(part, Rows) and part.weights is not None]
    is_split = isinstance(train, Rows) and isinstance(held, Rows) and train.x is held.x
    return {
        "the inputs or the labels": digest,
        "the split into batches": batches,
        "the examples that are held out": hash_of(*rows) if is_split else "",
        "the validation data": "" if held is None or is_split else held.digest(encode),
        "the weights of the examples": hash_of(*weights) if weights else "",
        "the names of the classes": repr([head.task.names for head in heads]),
        "the preprocessing": repr(preprocessing),
        "the scale of the targets": repr([head.scale for head in heads]),
    }
