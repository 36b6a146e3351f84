"""familiar_keywords.py -- keywords of other libraries' functions, and the pyneural equivalents, by kind of function."""

_LABELS = dict.fromkeys(("y_true", "y", "targets", "target", "true", "actual"), "labels")
_WEIGHTS = dict.fromkeys(("sample_weight", "weights"), "missing: scores count every example once")
OF_SCORES = {
    **_LABELS,
    **_WEIGHTS,
    **dict.fromkeys(("y_score", "y_prob", "y_proba", "preds", "outputs", "predictions", "probabilities"), "scores"),
    "pos_label": "missing: label 1 is positive, so give labels == name",
}
OF_PROBABILITIES = {
    **_LABELS,
    **_WEIGHTS,
    **dict.fromkeys(("y_score", "y_prob", "y_proba", "y_pred", "preds", "outputs", "scores"), "probabilities"),
    "n_bins": "bins",
    "strategy": "missing: the bins have equal width",
}
OF_ANSWERS = {
    **_LABELS,
    **_WEIGHTS,
    **dict.fromkeys(("y_pred", "preds", "predicted", "input", "outputs"), "predictions"),
    "adjusted": "missing: the plain mean of the recalls is returned",
}
OF_DATASET = {
    **dict.fromkeys(("X", "data", "images", "inputs", "features"), "x"),
    **dict.fromkeys(("labels", "target", "targets", "outputs"), "y"),
    **dict.fromkeys(("weights", "weight", "sample_weights"), "sample_weight"),
    **dict.fromkeys(("class_names", "target_names", "labels_names"), "classes"),
    **dict.fromkeys(("group", "patients", "patient"), "groups"),
    **dict.fromkeys(("paths", "filenames"), "files"),
    **dict.fromkeys(("transform", "transforms", "augment"), "pn.fit(..., augment=pn.Augment())"),
    **dict.fromkeys(("batch_size", "shuffle", "num_workers"), "not needed: pn.fit shuffles, and makes the batches"),
}
OF_SPLIT = {
    **dict.fromkeys(("test_size", "fraction", "frac", "validation", "validation_split", "size", "ratio"), "share"),
    "train_size": "share, which is that of the second part",
    "random_state": "seed",
    **dict.fromkeys(("shuffle", "stratify", "stratified"), "not needed: a split is always shuffled and stratified"),
    **dict.fromkeys(("groups", "group"), "not needed: groups of the data are never split"),
}
OF_FOLDS = {
    **dict.fromkeys(("n_splits", "k", "K", "n", "folds", "n_folds", "splits", "cv"), "count"),
    "random_state": "seed",
    **dict.fromkeys(("shuffle", "stratify", "stratified"), "not needed: folds are always shuffled and stratified"),
    **dict.fromkeys(("groups", "group"), "not needed: groups of the data are never split"),
}
OF_MONITORS = {
    "restore_best_weights": "not needed: pn.fit restores the best weights",
    **dict.fromkeys(("metric", "value", "quantity"), "monitor"),
    **dict.fromkeys(("threshold", "delta", "tolerance", "tol", "epsilon", "min_change"), "min_delta"),
    "min_lr": "min_factor, which is relative to the learning rate",
    "eps": "min_delta",
    "cooldown": "missing: epochs count from the last reduction",
    **dict.fromkeys(("verbose", "baseline"), "missing: a function of (epoch, logs) is a callback, too"),
}
OF_SAVING = {
    **dict.fromkeys(("filepath", "filename", "file", "name", "log_dir", "logdir"), "path"),
    **dict.fromkeys(("monitor", "mode", "save_best_only"), "not needed: the best epoch is that of pn.fit"),
    "save_weights_only": "not needed: a model file has the layers, too",
    **dict.fromkeys(("save_freq", "period", "every"), "pn.fit(model, data, checkpoint='run.ckpt'), after every epoch"),
    **dict.fromkeys(("append", "separator"), "not needed: a resumed training goes on in the same file"),
}
OF_DATA_FILES = {
    **dict.fromkeys(("root", "data_dir", "data_home", "folder", "directory", "file"), "path"),
    **dict.fromkeys(("train", "split", "subset"), "not needed: the result has the parts train and test"),
    **dict.fromkeys(("download", "cache"), "not needed: data is looked for, downloaded and kept"),
    **dict.fromkeys(("transform", "transforms"), "pn.fit(..., augment=pn.Augment())"),
    **dict.fromkeys(
        ("return_X_y", "as_frame", "as_numpy", "as_supervised"), "not needed: data.train.x and .y are arrays"
    ),
    "allow_pickle": "not needed: files with pickled objects are never loaded",
}
OF_CHEST_XRAY = {
    **OF_DATA_FILES,
    **dict.fromkeys(("download", "cache"), "not needed: decoded images are kept; the data is not downloaded"),
    **dict.fromkeys(("image_size", "target_size", "shape"), "size"),
    **dict.fromkeys(("groups", "patients"), "not needed: the patients of the file names are the groups"),
    **dict.fromkeys(("channels", "grayscale", "color_mode"), "not needed: the images are greyscale"),
    **dict.fromkeys(("validation", "validation_split"), "pn.fit(..., validation=0.1)"),
    **dict.fromkeys(("batch_size", "shuffle"), "not needed: pn.fit shuffles, and makes the batches"),
}
OF_HEAT_MAPS = {
    **dict.fromkeys(("x", "input", "inputs", "input_tensor", "images", "img"), "image"),
    **dict.fromkeys(
        (
            "target",
            "targets",
            "class_",
            "class_index",
            "class_idx",
            "pred_index",
            "category",
            "category_index",
            "classes",
        ),
        "label",
    ),
    **dict.fromkeys(("target_layer", "target_layers", "layer_name", "last_conv_layer", "conv_layer"), "layer"),
    **dict.fromkeys(
        ("patch_size", "window", "sliding_window_shapes", "sliding_window", "occlusion_size", "size"), "patch"
    ),
    **dict.fromkeys(("strides", "step"), "stride"),
    **dict.fromkeys(("baselines", "baseline", "fill"), "not needed: a patch is filled with the mean"),
    "normalise": "normalize",
    "abs": "normalize=False, which keeps the signs of an occlusion",
    **dict.fromkeys(("batch_size", "device", "perturbations_per_eval"), "not needed: it has no effect on the result"),
}
OF_IMPORTANCE = {
    **dict.fromkeys(("scoring", "score", "scorer"), "metric"),
    **dict.fromkeys(("n_repeats", "repetitions", "n_permutations"), "repeats"),
    **dict.fromkeys(("random_state", "rng"), "seed"),
    **dict.fromkeys(("X", "x", "y", "estimator"), "the model and the data: pn.importance(model, (x, y))"),
    **dict.fromkeys(("n_jobs", "max_samples", "batch_size"), "not needed: it has no effect on the result"),
    **dict.fromkeys(("features", "feature_names", "columns"), "not needed: the names of the data's columns are used"),
}
OF_PLOTS = {
    "figsize": "ax=plt.subplots(figsize=(8, 4))[1]",
    **dict.fromkeys(("axes", "axis", "axs", "fig", "figure"), "ax"),
    **dict.fromkeys(("n", "k", "num", "limit", "max_images"), "count"),
    **dict.fromkeys(("cols", "ncols"), "columns"),
    **dict.fromkeys(("title", "label", "color", "cmap", "xlabel"), "the Axes that it returns: ax.set_title(...)"),
    **dict.fromkeys(("save", "path", "filename"), "matplotlib.pyplot.savefig(path) after it"),
    **dict.fromkeys(("show", "block"), "matplotlib.pyplot.show() after it"),
    "normalize": "not needed: the colours are shares of the row",
}
OF_PAGE = {
    **dict.fromkeys(("filename", "file", "filepath", "output"), "path"),
    **dict.fromkeys(("x", "test", "dataset", "images"), "data"),
    **dict.fromkeys(("name", "heading"), "title"),
    **dict.fromkeys(("warnings", "limitations"), "caveats"),
}
OF_FILES = {
    **dict.fromkeys(("filepath", "filename", "file", "f"), "path"),
    "custom_objects": "layers=[Mine]",
    **dict.fromkeys(("map_location", "compile", "weights_only"), "not needed: a file has data only, and runs no code"),
    **dict.fromkeys(("overwrite", "save_format"), "not needed: the file appears whole, and replaces an older one"),
}
AVERAGES = dict.fromkeys(("test_time", "tta"), "model.test_time = 'flip' before, or give it to pn.fit")
CHOOSES = "pn.choose_threshold(..., youden=True), which stores it in the model"
