"""predict.py -- the command predict: a saved model's answers for image files, and where it looked; or for a table."""

import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pyneural.apps.xray_words import CAVEAT, is_of_xrays
from pyneural.arguments.arrays import Array
from pyneural.arguments.paths import as_path, writable, write_whole
from pyneural.batching.image_input import image_input
from pyneural.card.task import Task
from pyneural.commands.table_files import predict_rows, takes_tables
from pyneural.evaluation.facts import sample_note, tasks_by_head
from pyneural.evaluation.predict import classify
from pyneural.evaluation.predict import predict as answer
from pyneural.files.safetensors import load
from pyneural.images.digit import examine_digit
from pyneural.models.ensemble import Ensemble
from pyneural.models.model import Model
from pyneural.printing import put, put_parts

_MAPS = "predict: --heat-map"


def predict(
    model: str | Path,
    files: Sequence[str | Path],
    *,
    heat_map: str | Path | None = None,
    method: str | None = None,
    csv: str | Path | None = None,
    debug: bool = False,
) -> bool:
    """Prints a saved model's prediction for each image file, or for each row of a table.

    An image's line is followed by how it was prepared.  For two classes it has the answer, the probability of the
    second class and the threshold.  Unreadable files are reported on stderr, and the others are processed; warnings of
    an image have its name.

    Args:
        model: the path of the .safetensors file.
        files: image files, PNG or JPEG; for a model that was trained on a table one CSV file, which need not have the
            target.
        heat_map: where to write the image with its heat map: for one image a .png file, for any number a folder, which
            is made if it does not exist, and in which the map of scan.jpeg is scan_heat_map.png.
        method: of the heat maps, "grad-cam" (the default) or "occlusion".
        csv: a file for the answers to the rows of a table.
        debug: raise an error for an unreadable file.

    Returns:
        Whether all files could be read.

    Raises:
        ValueError, OSError: the model cannot be read, or does not take images; or a heat map cannot be written.
        ImportError: heat maps are asked for, and matplotlib is not installed.
    """
    loaded = load(model)
    if takes_tables(loaded):
        predict_rows(loaded, _one_table(files, heat_map or method), csv)
        return True
    takes_pictures(loaded, "predict")
    if csv is not None:
        raise ValueError("predict: --csv is for a model that was trained on a table, and this one takes images")
    targets = _targets(loaded, heat_map, method, files)
    note = sample_note(loaded)
    well = True
    for file, target in zip(files, targets, strict=True):
        try:
            image, done = input_of(loaded, file)
        except (ValueError, OSError) as error:
            if debug:
                raise
            put(f"pyneural: {error}", stream=sys.stderr)
            well = False
            continue
        with _warnings_of(file):
            words = _answer(loaded, image)
            if target is not None:
                _write_map(loaded, image, method or "grad-cam", target)
        put_parts([f"{file}: {words}", *note])
        put_parts([done] if target is None else [done, f"heat map in {target}"], first="    ")
    if is_of_xrays(loaded):
        put(CAVEAT)
    return well


def _one_table(files: Sequence[str | Path], of_images: object) -> str | Path:
    """The CSV file among the arguments, which is the only one."""
    if of_images is not None:
        raise ValueError("predict: --heat-map and --method are for images, and the model takes a table: leave them out")
    if len(files) > 1:
        raise ValueError(f"predict: the model takes a table, and {len(files):,} files are given: give one CSV file")
    return files[0]


# ---- images ----------------------------------------------------------------------------------------------------------


def check_trained(model: Model | Ensemble, who: str) -> None:
    """Rejects a model that was never trained."""
    if model.card.task is None:
        raise ValueError(f"{who}: the model in this file was never trained: train it with pn.fit, then pn.save")


def takes_pictures(model: Model | Ensemble, who: str) -> None:
    """Rejects a model that does not take the pixels of image files."""
    check_trained(model, who)
    shape = model.input_shape or ()
    if len(shape) != 3 or shape[2] not in (1, 3):
        raise ValueError(f"{who}: the model takes inputs {shape}, not images: use pn.{who} with arrays")
    if model.card.preprocessing is None or model.card.preprocessing.dtype != "uint8":
        raise ValueError(
            f"{who}: the model was trained on floats, but files contain pixels 0..255: use pn.{who} with arrays "
            "prepared like the training data"
        )


def input_of(model: Model | Ensemble, file: str | Path) -> tuple[Array, str]:
    """The image in a file as the model takes it, and how it was prepared."""
    if Path(file).is_dir():
        raise IsADirectoryError(f"predict: '{file}' is a folder: give the images in it, {Path(file) / '*'}")
    if model.card.prepare == "digit":
        prepared = examine_digit(file)
        return prepared.digit, str(prepared)
    return image_input(model, file, "predict")


# ---- answers ---------------------------------------------------------------------------------------------------------


def _answer(model: Model | Ensemble, image: Array) -> str:
    """The prediction in words: classes with confidence, or values; with heads, each after its name."""
    tasks = tasks_by_head(model)
    say: Callable[[Task, Any], str]
    if any(task.kind == "values" for task in tasks.values()):
        found: Any = answer(model, image)
        say = _values
    else:
        found = classify(model, image)
        say = _decided
    by_head = found if isinstance(found, dict) else {"": found}
    return ", ".join(f"{head} {say(tasks[head], one)}".strip() for head, one in by_head.items())


def _decided(task: Task, found: Any) -> str:
    """A predicted class; of two, with the probability and the threshold that decided."""
    if not task.is_two_class:
        return str(found)
    probability = f"probability of {task.label(1)} is {found.probabilities[-1]:.4g}"
    return f"{found.label} ({probability}, threshold {task.threshold:.4g})"


def _values(task: Task, rows: Array) -> str:
    return ", ".join(f"{value:.4g}" for value in rows[0])


@contextmanager
def _warnings_of(file: str | Path) -> Iterator[None]:
    """Reports the warnings of a `with` block on stderr, each with the name of the file."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        yield
    for one in found:
        words = str(one.message).removeprefix("classify: ").removeprefix("predict: ")
        put(f"pyneural: {file}: {words}", stream=sys.stderr)


# ---- heat maps -------------------------------------------------------------------------------------------------------


def _targets(
    model: Model | Ensemble, path: str | Path | None, method: str | None, files: Sequence[str | Path]
) -> Sequence[Path | None]:
    """The files to write the heat maps to; None for each image if none are asked for.

    Raises:
        ValueError, OSError, ImportError: they cannot be made or written.
    """
    if path is None:
        if method is not None:
            raise ValueError("predict: --method is for heat maps: give --heat-map as well, or leave it out")
        return [None] * len(files)
    from pyneural.plot.saved_plots import check_matplotlib, plots_folder

    check_matplotlib(_MAPS)
    tasks = tasks_by_head(model)
    if len(tasks) > 1 or any(task.kind in ("values", "labels") and task.outputs > 1 for task in tasks.values()):
        raise ValueError(
            f"{_MAPS} is for models with one answer, and this one has several: use pn.plot.heat_map(model, image), "
            "which takes head= and label="
        )
    target = as_path(_MAPS, path)
    images = {as_path("predict", file).resolve() for file in files}
    if target.is_dir() or not target.suffix:
        return _in_folder(plots_folder(_MAPS, target), files, images)
    if target.suffix.lower() != ".png" or len(files) > 1:
        base = target.with_suffix("")
        if len(files) > 1:
            raise ValueError(f"{_MAPS}: {target}: {len(files):,} images need a folder: give '{base}'")
        raise ValueError(f"{_MAPS}: {target}: heat maps are .png files: give '{base}.png', or '{base}' for a folder")
    if target.resolve() in images:
        raise ValueError(f"{_MAPS}: {target} is the image itself: give another path")
    return [writable(_MAPS, target)]


def _in_folder(folder: Path, files: Sequence[str | Path], taken: set[Path]) -> list[Path]:
    """A file for the heat map of each image, none of which is there twice or an image itself."""
    found: list[Path] = []
    for file in files:
        stem, number = Path(file).stem, 1
        target = folder / f"{stem}_heat_map.png"
        while target.resolve() in taken:
            number += 1
            target = folder / f"{stem}_heat_map_{number}.png"
        taken.add(target.resolve())
        found.append(target)
    return found


def _write_map(model: Model | Ensemble, image: Array, method: str, target: Path) -> None:
    """Writes an image with its heat map."""
    from pyneural.plot.heat_maps import heat_map
    from pyneural.plot.saved_plots import as_png

    write_whole(_MAPS, target, as_png(heat_map(model, image, method=method)))
