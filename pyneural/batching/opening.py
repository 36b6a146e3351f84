"""opening.py -- the data that users pass (paths, arrays, data sets, batches), opened."""

from pathlib import Path
from typing import Any

from pyneural.arguments.paths import as_path
from pyneural.batching.pairs import is_stream
from pyneural.card.frames import is_frame
from pyneural.datasets.csv_path import is_csv
from pyneural.datasets.dataset import Dataset
from pyneural.datasets.image_folder import folder, folder_part
from pyneural.datasets.npz_file import is_npz, npz, npz_part
from pyneural.datasets.splits import Splits, as_dataset
from pyneural.models.ensemble import Ensemble
from pyneural.models.model import Model

_KINDS = "give a pn.Dataset or a pair of arrays (x, y), splits, a folder of images, an .npz, or re-iterable batches"


def open_data(data: Any, who: str, model: Model | Ensemble, part: str = "") -> Any:
    """The data as Splits, a Dataset, or an iterable of batches; with `part`, that part of files, or all of them.

    A folder's images are scaled to the model's input size, if that is known.

    Raises:
        TypeError, ValueError: it is none of these.
    """
    if isinstance(data, str | Path):
        if is_npz(data):
            return npz_part(data, part) if part else npz(data)
        if is_csv(data):
            raise ValueError(
                f"{who}: data is the CSV file '{data}': read it with pn.datasets.csv('{data}', target='...'), naming "
                "the column to predict, and give the data set that it returns"
            )
        if as_path(f"{who}: data", data, "a folder").is_file():
            raise ValueError(
                f"{who}: data is the file '{data}': give a folder or an .npz, or read it into arrays "
                "(np.genfromtxt(path, delimiter=',') reads a table of numbers), and give (x, y)"
            )
        shape = model.input_shape or ()
        like_the_model: dict[str, Any] = {"size": shape[:2], "channels": shape[2]} if len(shape) == 3 else {}
        if part:
            prepare = model.card.prepare if model.card.task is not None else None
            data = folder_part(data, part, prepare=prepare, **like_the_model)
        else:
            data = folder(data, **like_the_model)
    if isinstance(data, tuple | list) and len(data) == 3 and all(hasattr(one, "shape") for one in data):
        raise TypeError(
            f"{who}: data is three arrays: give (x, y); if the third is the weights of the examples, "
            "pn.Dataset(x, y, sample_weight=w)"
        )
    if isinstance(data, Splits) and not part:
        for one in (data.train, data.validation, data.test):
            if one is not None:
                one.settle()
        return data
    if isinstance(data, Dataset | Splits | tuple) and not is_stream(data):
        return as_dataset(data, who)
    if is_stream(data):
        return data
    if isinstance(data, list) and len(data) == 2:
        return as_dataset(data, who)
    if is_frame(data):
        raise TypeError(
            f"{who}: data is a {type(data).__name__}: give the inputs and the target, such as "
            "(frame.drop(columns='price'), frame['price'])"
        )
    if data is None:
        raise TypeError(f"{who}: data is None: this data has no such part; {_KINDS}")
    raise TypeError(f"{who}: data is {type(data).__name__}: {_KINDS}")
