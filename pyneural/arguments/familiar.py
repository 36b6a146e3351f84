"""familiar.py -- attributes and arguments in other libraries, and the pyneural equivalents."""

# methods and attributes of models in other libraries
OF_MODELS = {
    "fit": "pn.fit(model, data)",
    "train": "pn.fit(model, data); by hand, model(x, training=True) switches dropout and batch norm",
    "eval": "model(x), where training=False is the default",
    "training": "model(x, training=True)",
    "forward": "model(x)",
    "partial_fit": "pn.fit(model, data) again: it continues from the current weights",
    "fit_transform": "pn.fit(model, data)",
    "fit_generator": "pn.fit(model, batches), with a re-iterable object",
    "train_on_batch": "loss.backward() and optimizer.step(), with optimizer = pn.Adam(model)",
    "compile": "not needed: pn.fit(model, data, loss=..., optimizer=..., metrics=...) takes these arguments",
    "evaluate": "pn.evaluate(model, data)",
    "score": "pn.evaluate(model, data).accuracy",
    "predict_proba": "pn.predict(model, x), which returns probabilities",
    "predict_classes": "pn.predict(model, x).argmax(axis=1)",
    **dict.fromkeys(("predict", "predict_on_batch", "transform"), "pn.predict(model, x)"),
    "classify": "pn.classify(model, image)",
    "save": "pn.save(model, path)",
    "save_weights": "pn.save(model, path)",
    "load": "model = pn.load(path)",
    "load_weights": "model = pn.load(path)",
    "load_state_dict": "model = pn.load(path)",
    "state_dict": "model.parameters, or pn.save(model, path)",
    "get_weights": "model.parameters",
    "set_weights": "model['dense_1'].weight = array, layer by layer",
    "weights": "model.parameters",
    "trainable_variables": "model.parameters",
    "trainable_weights": "model.parameters",
    "variables": "model.parameters",
    "named_parameters": "model.parameters.items()",
    "coefs_": "model.parameters",
    "count_params": "model.summary()",
    "get_layer": "model['dense_1']",
    "modules": "model.layers",
    "zero_grad": "not needed: backward overwrites every gradient (accumulate=True adds to it)",
    "backward": "loss.backward(), on the result of a loss op",
    "step": "optimizer.step(), with optimizer = pn.Adam(model)",
    "to": "not needed: everything runs on the CPU; for float64, pn.Sequential(..., dtype='float64')",
    "cuda": "not needed: everything runs on the CPU",
    "cpu": "not needed: everything runs on the CPU",
    "double": "pn.Sequential(..., dtype='float64')",
    "requires_grad_": "layer.trainable = False",
    "optimizer": "pn.fit(model, data, optimizer=...), or optimizer = pn.Adam(model) by hand",
    "loss": "pn.fit(model, data, loss=...)",
    "history": "history = pn.fit(model, data)",
    "add": "pn.Sequential(layer, layer, ...)",
}
# losses, optimizers, schedules, metrics and activations by their names elsewhere; lower-case letters and digits only
OF_WORDS = {
    **dict.fromkeys(
        ("categoricalcrossentropy", "sparsecategoricalcrossentropy", "crossentropyloss", "softmaxcrossentropy", "ce",
         "nll", "nllloss", "negativeloglikelihood"), "cross_entropy",
    ),
    **dict.fromkeys(
        ("bce", "bceloss", "bcewithlogits", "bcewithlogitsloss", "sigmoidcrossentropy", "logloss", "logistic"),
        "binary_cross_entropy",
    ),
    **dict.fromkeys(("meansquarederror", "squarederror", "mseloss", "l2", "l2loss"), "mse"),
    **dict.fromkeys(("meanabsoluteerror", "absoluteerror", "maeloss", "l1", "l1loss"), "mae"),
    **dict.fromkeys(("smoothl1", "smoothl1loss", "huberloss"), "huber"),
    **dict.fromkeys(("momentum", "nesterov", "gd", "gradientdescent"), "sgd"),
    **dict.fromkeys(("onecyclelr", "onecyclepolicy", "triangular"), "one-cycle"),
    **dict.fromkeys(("cosinedecay", "cosineannealing", "cosineannealinglr"), "cosine"),
    **dict.fromkeys(("steplr", "piecewiseconstantdecay", "multisteplr"), "step"),
    **dict.fromkeys(("none", "off", "fixed"), "constant"),
    **dict.fromkeys(("acc", "categoricalaccuracy", "sparsecategoricalaccuracy", "binaryaccuracy"), "accuracy"),
}  # fmt: skip
# attributes of layers in other libraries
OF_LAYER = {
    "kernel": "layer.weight",
    "weights": "layer.weight and layer.bias",
    "get_weights": "layer.weight and layer.bias",
    "set_weights": "layer.weight = array, layer.bias = array",
    "parameters": "layer.weight and layer.bias, or model.parameters",
    "requires_grad_": "layer.trainable = False",
    "forward": "a method call(self, x, *, training)",
}
# keywords of layers in other libraries
OF_KEYWORDS = {
    "input_shape": "not needed: the shape is inferred from the data, or set by model.build(shape)",
    "input_dim": "not needed: the shape is inferred from the data, or set by model.build(shape)",
    "in_features": "not needed: the shape is inferred from the data, or set by model.build(shape)",
    "in_channels": "not needed: the shape is inferred from the data, or set by model.build(shape)",
    "num_features": "not needed: the shape is inferred from the data, or set by model.build(shape)",
    "out_features": "units",
    "out_channels": "filters",
    "depth_multiplier": "multiplier",
    "groups": "not needed: pn.DepthwiseConv2D(size) has one group per channel",
    "kernel_size": "size",
    "pool_size": "size",
    "strides": "stride",
    "use_bias": "bias",
    "kernel_initializer": "init",
    "act": "activation",
    "p": "rate",
    "eps": "epsilon",
    "data_format": "not needed: images are (n, height, width, channels)",
}
# attributes of ensembles elsewhere, and ours
OF_ENSEMBLES = {
    **dict.fromkeys(("fit", "train"), "pn.fit(model, data) for each of its models, before"),
    **{name: words for name, words in OF_MODELS.items() if words.startswith(("pn.evaluate", "pn.predict", "pn.class"))},
    **dict.fromkeys(("save", "save_weights"), "pn.save(ensemble, path)"),
    **dict.fromkeys(("estimators", "estimators_", "members", "networks"), "ensemble.models"),
    "layers": "those of its models, such as ensemble[0].layers",
    **{name: f"ensemble.card.task.{name}" for name in ("threshold", "temperature")},
    "test_time": "that of its models, such as ensemble[0].test_time",
    **dict.fromkeys(("parameters", "weights", "state_dict"), "those of its models, such as ensemble[0].parameters"),
}
OF_FIT = {
    "validation_split": "validation=0.1 (shuffled, stratified)",
    "validation_data": "validation=(x, y)",
    "lr": "learning_rate",
    "batch": "batch_size",
    "shuffle": "not needed: training data is always shuffled",
    "x": "the second argument: pn.fit(model, (x, y))",
    "y": "the second argument: pn.fit(model, (x, y))",
    **dict.fromkeys(
        ("target", "label", "labels"), "the second argument: pn.fit(model, (frame.drop(columns='y'), frame['y']))"
    ),
    "criterion": "loss",
    "loss_fn": "loss",
    "loss_weight": "loss_weights",
    "nb_epoch": "epochs",
    "n_epochs": "epochs",
    "num_epochs": "epochs",
    "max_iter": "epochs",
    "random_state": "seed",
    "steps_per_epoch": "not needed: an epoch is one pass over the data",
    "device": "not needed: everything runs on the CPU (pn.set_threads(n) sets the number of threads)",
    **dict.fromkeys(("restore_best_weights", "load_best_model_at_end", "restore"), "keep"),
    "early_stopping": "patience",
    "n_iter_no_change": "patience",
    "callback": "callbacks",
    **dict.fromkeys(("max_time", "time_limit", "timeout", "time_budget"), "seconds"),
    **dict.fromkeys(("resume", "resume_from", "ckpt_path", "resume_from_checkpoint"), "checkpoint"),
    **dict.fromkeys(("clip_norm", "clipnorm", "max_grad_norm", "grad_clip"), "optimizer=pn.Adam(clip_norm=1.0)"),
    **dict.fromkeys(("freeze", "frozen", "trainable"), "layer.trainable = False before"),
    **dict.fromkeys(("sample_weights", "weights", "row_weights"), "sample_weight"),
    **dict.fromkeys(("ema_decay", "use_ema", "ema_momentum", "swa", "average"), "ema"),
    **dict.fromkeys(
        ("accumulation_steps", "gradient_accumulation_steps", "accumulate_grad_batches", "accumulation"), "accumulate"
    ),
    **dict.fromkeys(("sampler", "oversample", "balanced"), "balance"),
    **dict.fromkeys(("tta", "test_time_augmentation"), "test_time"),
    **dict.fromkeys(("class_weights", "pos_weight", "scale_pos_weight"), "class_weight"),
    **dict.fromkeys(("smoothing", "label_smooth"), "label_smoothing"),
    "initial_epoch": "not needed: a second pn.fit continues from the current weights",
    **dict.fromkeys(("workers", "num_workers", "use_multiprocessing", "n_jobs"), "pn.set_threads(n) before"),
    **dict.fromkeys(("learning_rate_init", "eta", "step_size"), "learning_rate"),
    **dict.fromkeys(("solver", "optim"), "optimizer"),
    **dict.fromkeys(("weight_decay", "alpha", "l2"), "optimizer=pn.AdamW(weight_decay=0.01)"),
    **dict.fromkeys(("momentum", "nesterov"), "optimizer=pn.SGD(momentum=0.9)"),
    **dict.fromkeys(("learning_rate_schedule", "lr_scheduler", "lr_schedule"), "schedule"),
    **dict.fromkeys(
        ("val_data", "validation_dataset", "eval_set", "val", "val_split", "validation_fraction"), "validation"
    ),
    "scheduler": "schedule",
    **dict.fromkeys(("augmentation", "augmentations", "transform", "transforms", "data_augmentation"), "augment"),
    "generator": "the second argument: re-iterable batches",
}
# strengths of augmentation elsewhere, and ours
OF_AUGMENT = {
    **dict.fromkeys(("rotation", "rotation_range", "degrees", "angle", "rotate_limit"), "rotate"),
    **dict.fromkeys(
        ("translate", "translation", "width_shift_range", "height_shift_range", "shift_limit", "crop", "padding"),
        "shift",
    ),
    **dict.fromkeys(("zoom", "zoom_range", "scale_limit", "size"), "scale"),
    **dict.fromkeys(("shear_range", "slant", "skew"), "shear"),
    **dict.fromkeys(("horizontal_flip", "hflip", "mirror", "fliplr"), "flip"),
    **dict.fromkeys(("vertical_flip", "vflip"), "missing: images are mirrored left to right only"),
    **dict.fromkeys(("brightness_range", "brightness_limit"), "brightness"),
    **dict.fromkeys(("contrast_range", "contrast_limit"), "contrast"),
    **dict.fromkeys(("cutout", "random_erasing", "erasing", "coarse_dropout"), "erase"),
    **dict.fromkeys(("fill_mode", "fill", "mode"), "not needed: outside, the nearest pixel of the edge is taken"),
    **dict.fromkeys(("seed", "random_state"), "pn.fit(model, data, seed=0)"),
}
# events of callbacks elsewhere, and ours
OF_EVENTS = {
    **dict.fromkeys(("on_train_start", "on_fit_start", "on_fit_begin", "on_training_begin"), "on_train_begin"),
    **dict.fromkeys(("on_fit_end", "on_train_ended", "on_training_end"), "on_train_end"),
    **dict.fromkeys(("on_epoch_start", "on_train_epoch_start"), "on_epoch_begin"),
    **dict.fromkeys(("on_epoch_ended", "on_train_epoch_end", "on_validation_end", "on_test_end"), "on_epoch_end"),
    **dict.fromkeys(("on_train_batch_end", "on_step_end", "on_batch_ended"), "on_batch_end"),
    **dict.fromkeys(
        ("on_batch_begin", "on_train_batch_begin", "on_train_batch_start", "on_step_begin"),
        "on_batch_end, the one event of a step",
    ),
}
# attributes of callbacks elsewhere, and ours
OF_CALLBACK = {
    "model": "self.run.model",
    **dict.fromkeys(("params", "trainer", "logger", "history", "epochs"), "self.run, the training"),
}
# attributes that callbacks elsewhere set, and what has their effect here
OF_RUN = {
    **dict.fromkeys(("learning_rate", "lr"), "set learning_rate_factor, which multiplies the schedule"),
    **dict.fromkeys(("stop", "stop_training", "should_stop"), "return 'stop' from the method"),
}
# hyperparameters by their names elsewhere, and ours; the first that the optimizer has is suggested
OF_HYPER = {
    "lr": ("learning_rate",),
    "rho": ("beta2",),
    "alpha": ("beta2", "learning_rate"),
    "beta": ("momentum", "beta1"),
    "beta_1": ("beta1",),
    "beta_2": ("beta2",),
    "betas": ("beta1' and 'beta2",),
    "eps": ("epsilon",),
    "decay": ("weight_decay",),
    "l2": ("weight_decay",),
    "clipnorm": ("clip_norm",),
    "clipvalue": ("clip_norm",),
}
# methods and attributes of optimizers in other libraries
OF_OPTIMIZERS = {
    "zero_grad": "not needed: backward overwrites every gradient (accumulate=True adds to it)",
    "minimize": "loss.backward(), then optimizer.step()",
    "apply_gradients": "loss.backward(), then optimizer.step()",
    "backward": "loss.backward(), then optimizer.step()",
    "lr": "optimizer.learning_rate",
    "param_groups": "optimizer.learning_rate",
    "state_dict": "pn.save(model, path), which keeps the model",
}
# attributes of results and data in other libraries: a history, a report, a data set
OF_HISTORY = {
    "history": "history['loss']",
    "epoch": "history.epochs",
    "loss_curve_": "history['loss']",
    "validation_scores_": "history['val_accuracy']",
    "n_iter_": "history.epochs",
    **dict.fromkeys(("params", "model"), "history['loss'], or dict(history) for all lists"),
    **dict.fromkeys(("to_frame", "to_dataframe", "to_pandas", "DataFrame"), "pandas.DataFrame(history)"),
    **dict.fromkeys(("plot", "show"), "pn.plot.history(history)"),
    **dict.fromkeys(("save", "to_file", "write"), "history.to_csv(path)"),
    **dict.fromkeys(
        ("best", "best_score", "best_value", "best_loss"), "history.best_epoch, the number of the best epoch"
    ),
    **dict.fromkeys(("time", "duration", "elapsed"), "history.seconds"),
}
OF_REPORT = {
    **dict.fromkeys(("acc", "score", "accuracy_score"), "report.accuracy"),
    **dict.fromkeys(("confusion_matrix", "cm", "matrix"), "report.confusion"),
    **dict.fromkeys(("y_pred", "pred", "preds", "prediction", "predicted"), "report.predictions"),
    **dict.fromkeys(("y_true", "y", "targets", "target", "truth"), "report.labels"),
    **dict.fromkeys(("probabilities", "probs", "proba", "y_score", "logits"), "report.outputs"),
    **dict.fromkeys(("scores", "metrics", "to_dict"), "report.estimates"),
    **dict.fromkeys(("errors", "wrong", "misclassified"), "report.mistakes"),
    **dict.fromkeys(("error", "val_loss", "test_loss"), "report.loss"),
    **dict.fromkeys(("val_accuracy", "test_accuracy"), "report.accuracy"),
    **dict.fromkeys(("r2_score", "r_squared", "R2"), "report.r2"),
    "rmse": "report.mse ** 0.5",
    "f1_score": "report.f1",
    "precision_score": "report.precision",
    **dict.fromkeys(
        ("recall_score", "tpr", "true_positive_rate"), "report.recall, and of two classes report.sensitivity"
    ),
    **dict.fromkeys(("fpr", "false_positive_rate", "tnr"), "report.specificity"),
    "classification_report": "print(report)",
    **dict.fromkeys(("auc", "auroc", "roc", "roc_auc_score"), "report.roc_auc"),
    "roc_curve": "pn.plot.roc, or pn.metrics.roc_curve",
    **dict.fromkeys(("pr_auc", "average_precision_score", "ap"), "report.average_precision"),
    **dict.fromkeys(("ece", "expected_calibration_error"), "report.calibration_error"),
    **dict.fromkeys(("brier_score", "brier_score_loss"), "report.brier"),
    **dict.fromkeys(("top5", "top_5", "top_k_accuracy"), "report.top_k(5)"),
    "balanced_accuracy_score": "report.balanced_accuracy",
    "threshold": "report.task.threshold",
    **dict.fromkeys(("save", "to_file", "write", "to_frame", "to_dataframe", "to_pandas"), "report.to_csv(path)"),
    **dict.fromkeys(("summary", "print", "show"), "print(report)"),
    **dict.fromkeys(("plot", "plot_confusion"), "pn.plot.confusion(report)"),
    **dict.fromkeys(("examples", "sample"), "report.samples(10)"),
    "confidences": "report.confidence",
    "classes": "report.task.classes",
}
OF_DATASETS = {
    **dict.fromkeys(("images", "data", "X", "inputs", "features", "feature_data"), "data.x"),
    **dict.fromkeys(("labels", "targets", "target", "label", "outputs"), "data.y"),
    **dict.fromkeys(("target_names", "class_names", "classes_", "label_names"), "data.classes"),
    **dict.fromkeys(("shape", "size", "ndim"), "data.x.shape, and len(data)"),
    **dict.fromkeys(("numpy", "to_numpy", "as_numpy_iterator"), "data.x and data.y, which are NumPy arrays"),
    **dict.fromkeys(("select", "subset", "filter", "skip", "iloc"), "data[rows]"),
    **dict.fromkeys(("value_counts", "class_counts", "bincount"), "data.counts()"),
    **dict.fromkeys(("paths", "filenames", "file_paths", "imgs", "samples"), "data.files"),
    **dict.fromkeys(
        ("batch", "cache", "prefetch", "repeat"), "not needed: pn.fit(model, data, batch_size=64) makes the batches"
    ),
    **dict.fromkeys(("weights", "weight", "sample_weights"), "data.sample_weight"),
    "shuffle": "not needed: pn.fit shuffles, and data.take(rng.permutation(len(data))) does by hand",
    **dict.fromkeys(("map", "transform", "apply"), "pn.Dataset(function(data.x), data.y)"),
    **dict.fromkeys(("train_test_split", "random_split"), "train, test = data.split(0.2)"),
    **dict.fromkeys(("kfold", "KFold", "k_fold", "StratifiedGroupKFold", "cross_validation"), "data.folds(5)"),
    **dict.fromkeys(("train", "test", "validation"), "pn.Splits(train, test), which has parts; this is one of them"),
    **dict.fromkeys(("head", "tail", "show", "plot"), "pn.plot.images(data.x)"),
    **dict.fromkeys(("sample", "choice", "random"), "data[rng.choice(len(data), 10)]"),
}
OF_SPLITS = {
    **dict.fromkeys(("val", "valid", "dev"), "data.validation"),
    **dict.fromkeys(("x_train", "X_train", "train_images", "train_x"), "data.train.x"),
    **dict.fromkeys(("y_train", "train_labels", "train_y"), "data.train.y"),
    **dict.fromkeys(("x_test", "X_test", "test_images", "test_x"), "data.test.x"),
    **dict.fromkeys(("y_test", "test_labels", "test_y"), "data.test.y"),
    **dict.fromkeys(("x", "images", "data", "X"), "data.train.x"),
    **dict.fromkeys(("y", "labels", "targets", "target"), "data.train.y"),
    **dict.fromkeys(("classes", "class_names", "target_names"), "data.train.classes"),
    **dict.fromkeys(
        ("take", "arrays", "groups", "counts", "split", "folds", "files"), "a part: data.train or data.test"
    ),
}
