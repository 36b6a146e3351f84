"""evaluate.py -- the command evaluate: the scores of a saved model on test data."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from pyneural.apps.digits_app import FASHION
from pyneural.arguments.paths import as_path
from pyneural.arguments.typed import typed
from pyneural.commands.predict import check_trained, input_of, takes_pictures
from pyneural.commands.table_files import labelled, takes_tables
from pyneural.datasets.chest_xray_folder import chest_xray, folder_exists
from pyneural.datasets.dataset import Dataset
from pyneural.datasets.file_groups import check_groups, group_of
from pyneural.datasets.folder_layout import files_by_class, parts_of
from pyneural.datasets.mnist_files import fashion_mnist, mnist
from pyneural.datasets.npz_file import is_npz, npz_part
from pyneural.datasets.pneumonia_mnist_file import pneumonia_mnist
from pyneural.datasets.splits import Splits
from pyneural.datasets.two_digits_pairs import two_digits
from pyneural.evaluation.evaluate import evaluate as measure
from pyneural.evaluation.facts import class_names, sample_note, tasks_by_head
from pyneural.evaluation.report import Report
from pyneural.files.safetensors import load
from pyneural.models.ensemble import Ensemble
from pyneural.models.model import Model
from pyneural.plot.saved_plots import check_outputs, write_plots
from pyneural.printing import put, put_parts

_CLOTHES = "fashion_mnist"
_OF_NAME: dict[str, Callable[..., Splits]] = {  # what loads the data of that name
    "mnist": mnist,
    _CLOTHES: fashion_mnist,
    "pneumonia_mnist": pneumonia_mnist,
    "two_digits": two_digits,
}
_XRAYS = "chest_xray"  # of the size that the model takes


def evaluate(
    model: str | Path,
    data: str | Path | None = None,
    *,
    groups: str | None = None,
    csv: str | Path | None = None,
    plots: str | Path | None = None,
    html: str | Path | None = None,
) -> None:
    """Prints the evaluation of a saved model on test data, as a line and as a table of all scores.

    Args:
        model: the path of the .safetensors file.
        data: a folder with the MNIST files, "sample", or "fashion" for Fashion-MNIST; or a folder of images as
            pn.datasets.folder takes it: its test part, or else all of it, is read as predict reads files; or an .npz as
            pn.datasets.npz takes it; or for a model that was trained on a table, a CSV file with the target.  None is
            the set of pn.datasets that the model was trained on, which is looked for as pn.datasets does; so is
            "sample" the sample of what it was trained on.  For a model of pn.datasets.chest_xray, a folder in that
            layout has its patients as groups.
        groups: a regular expression that finds the group, such as the patient, in the file names of a folder; of a
            table the column of the groups.
        csv: a file for the answers, one line per example; like plots and html not for models with heads.
        plots: a folder for the plots, made if it does not exist: confusion, calibration, mistakes of images, and for
            two classes ROC, precision and recall.
        html: a file for the whole report as an HTML page.

    Raises:
        ValueError, OSError: the model or the data cannot be read, or they do not fit together; or a file cannot be
            written.
        ImportError: plots or a page are asked for, and matplotlib is not installed.
    """
    loaded = load(model)
    check_trained(loaded, "evaluate")
    tasks = tasks_by_head(loaded)
    for name, given in (("csv", csv), ("plots", plots), ("html", html)):
        if given is not None and len(tasks) > 1:
            raise ValueError(
                f"evaluate: --{name} is for models with one output, and this one has the heads {', '.join(tasks)}: use "
                "pn.evaluate, whose result has a report for each"
            )
        if given is not None and name != "csv" and any(task.kind == "values" for task in tasks.values()):
            raise ValueError(f"evaluate: --{name} is for classes, and the model has values: leave it out")
    folder = check_outputs("evaluate", plots, csv, html, model=model)
    part = _test_part(loaded, data, groups)
    report = measure(loaded, part, verbose=0)
    for first, *others in [report.parts] if isinstance(report, Report) else report.lines:
        put_parts([f"{part.name}: {first}", *others, *sample_note(loaded)])
    put()
    put(report)
    if not (csv is folder is html is None):
        put()
    if csv is not None:
        report.to_csv(csv)
        put_parts([f"answers in {csv}"])
    if folder is not None:
        put_parts([f"plots in {folder}: {', '.join(write_plots('evaluate: --plots', report, part, folder))}"])
    if html is not None:
        from pyneural.apps.xray_files import caveats_of
        from pyneural.plot.report_page import page

        notes, caveats = sample_note(loaded), caveats_of(loaded)
        page(report, html, data=part, model=loaded, notes=notes, caveats=caveats, command=typed())
        put_parts([f"page in {html}"])


def _test_part(model: Model | Ensemble, data: str | Path | None, groups: str | None) -> Dataset:
    if takes_tables(model):
        if data is None:
            raise ValueError("evaluate: the model was trained on a table: give a CSV file, pyneural evaluate MODEL CSV")
        return labelled(model, data, groups)
    check_groups(groups)
    name = _CLOTHES if data == FASHION else _trained_on(model)
    if data is None and name not in (*_OF_NAME, _XRAYS):
        raise ValueError(
            f"evaluate: the model was trained on {model.card.data or 'data'}, which is none of the sets that are "
            f"looked for ({', '.join((*_OF_NAME, _XRAYS))}): give the data, pyneural evaluate MODEL DATA"
        )
    if name == _XRAYS and data is None and not folder_exists():
        raise FileNotFoundError(
            f"evaluate: the model was trained on {_XRAYS}, and there is no folder of that name in $PYNEURAL_DATA or "
            "the cache: give the folder that has train and test, pyneural evaluate MODEL FOLDER"
        )
    if groups is not None and (data is None or not Path(data).expanduser().is_dir()):
        raise ValueError("evaluate: --groups is for a folder of images: leave it out")
    if is_npz(data):
        return npz_part(str(data), "test")
    if name == _XRAYS and groups is None and (data is None or folder_exists(data)):
        assert model.input_shape is not None
        height, width, _ = model.input_shape
        return _named_test(chest_xray(data, (height, width), verbose=0))
    try:
        return _named_test(_OF_NAME.get(name, mnist)(None if data == FASHION else data))
    except FileNotFoundError:
        root = None if data is None else as_path("evaluate", data, "a folder")
        if root is None or not root.is_dir():
            raise
        return _pictures(model, root, groups)


def _trained_on(model: Model | Ensemble) -> str:
    """The name of the data that a model was trained on, without a note; "" if an ensemble's models differ in it."""
    names = {one.card.data.split(" ")[0] for one in (model if isinstance(model, Ensemble) else (model,))}
    return names.pop() if len(names) == 1 else ""


def _named_test(found: Splits) -> Dataset:
    assert found.test is not None
    found.test.name += " test"
    return found.test


def _pictures(model: Model | Ensemble, root: Path, groups: str | None) -> Dataset:
    """The images in one subfolder per class, each read as `predict` reads one."""
    takes_pictures(model, "evaluate")
    known = [name for task in tasks_by_head(model).values() for name in class_names(task)]
    if any(task.kind == "labels" for task in tasks_by_head(model).values()):
        raise ValueError(
            "evaluate: the model answers several labels for each image, and folders have one per image: use "
            "pn.evaluate(model, (x, y)) with rows of 0 and 1"
        )
    if len(tasks_by_head(model)) > 1:
        raise ValueError("evaluate: the model has heads, each with its own labels: use pn.evaluate(model, (x, y))")
    try:
        parts = parts_of(root)
        part = "test" if "test" in parts else "train"
        found = files_by_class(parts[part])
    except FileNotFoundError:
        raise FileNotFoundError(
            f"evaluate: '{root}' has neither the four MNIST files nor subfolders of images per class, e.g. cat/1.png"
        ) from None
    strange = [name for name in found if name not in known]
    if strange:
        raise ValueError(
            f"evaluate: '{root}' has images of '{', '.join(strange)}', but the model's classes are "
            f"{', '.join(known) or 'none'}{f' (it was trained on {model.card.data})' if model.card.data else ''}"
        )
    x = [input_of(model, file)[0] for files in found.values() for file in files]
    y = [known.index(name) for name, files in found.items() for _ in files]
    paths = [file for files in found.values() for file in files]
    of = None if groups is None else [group_of(file, groups) for file in paths]
    name = root.resolve().name + (" test" if len(parts) > 1 else "")
    return Dataset(np.stack(x), y, groups=of, files=list(map(str, paths)), name=name)
