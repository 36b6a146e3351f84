"""familiar_modules.py -- names that users look for in the modules of the package, and the pyneural equivalents."""

OF_OPS = {
    **dict.fromkeys(
        ("nll_loss", "sparse_categorical_crossentropy", "categorical_crossentropy"), "pn.ops.cross_entropy"
    ),
    **dict.fromkeys(
        ("binary_crossentropy", "binary_cross_entropy_with_logits", "sigmoid_cross_entropy_with_logits"),
        "pn.ops.binary_cross_entropy, which takes logits",
    ),
    **dict.fromkeys(("softmax_cross_entropy_with_logits",), "pn.ops.cross_entropy, which takes logits"),
    **dict.fromkeys(("mse_loss", "mean_squared_error"), "pn.ops.mse"),
    **dict.fromkeys(("l1_loss", "mean_absolute_error"), "pn.ops.mae"),
    **dict.fromkeys(("smooth_l1_loss", "huber_loss"), "pn.ops.huber"),
    **dict.fromkeys(("dense", "dot_general"), "pn.ops.linear"),
    **dict.fromkeys(("mm", "bmm", "dot", "einsum", "tensordot"), "pn.ops.matmul"),
    **dict.fromkeys(("cat", "concatenate", "hstack", "vstack"), "pn.ops.concat"),
    **dict.fromkeys(("conv1d", "conv"), "pn.ops.conv2d on inputs (n, 1, length, channels)"),
    **dict.fromkeys(("max_pool", "max_pooling2d"), "pn.ops.max_pool2d"),
    **dict.fromkeys(("avg_pool", "average_pooling2d"), "pn.ops.avg_pool2d"),
    **dict.fromkeys(("permute",), "pn.ops.transpose"),
    **dict.fromkeys(("view",), "pn.ops.reshape"),
    **dict.fromkeys(("clamp",), "pn.ops.clip"),
    **dict.fromkeys(("silu", "swish", "mish", "selu", "hardswish"), "pn.ops.gelu, which is close to it"),
    **dict.fromkeys(("argsort", "sort", "topk", "cumsum", "unique", "round", "floor", "ceil"), "NumPy, on x.numpy()"),
}
OF_DATA_FUNCTIONS = {
    **dict.fromkeys(("FashionMNIST", "fashion", "load_fashion_mnist"), "pn.datasets.fashion_mnist()"),
    **dict.fromkeys(
        ("xray", "xrays", "chestxray", "ChestXray", "chest_x_ray", "pneumonia", "kermany"), "pn.datasets.chest_xray()"
    ),
    **dict.fromkeys(
        ("PneumoniaMNIST", "pneumoniamnist", "PneumoniaMnist", "medmnist", "MedMNIST"), "pn.datasets.pneumonia_mnist()"
    ),
    **dict.fromkeys(
        ("MultiMNIST", "multi_mnist", "double_mnist", "overlapping_digits", "pairs"), "pn.datasets.two_digits()"
    ),
    **dict.fromkeys(("load_npz", "from_npz", "savez", "NpzFile"), "pn.datasets.npz(path)"),
    **dict.fromkeys(("MNIST", "load_mnist", "load_digits", "fetch_mldata"), "pn.datasets.mnist()"),
    **dict.fromkeys(
        (
            "ImageFolder",
            "image_folder",
            "image_dataset_from_directory",
            "flow_from_directory",
            "from_folder",
            "directory",
        ),
        "pn.datasets.folder(path)",
    ),
    **dict.fromkeys(
        (
            "cifar10",
            "CIFAR10",
            "load_iris",
            "iris",
            "make_moons",
            "imdb",
            "fetch_openml",
            "load_breast_cancer",
            "boston_housing",
        ),
        "arrays of your own: pn.fit(model, (x, y)), or pn.Dataset(x, y)",
    ),
    **dict.fromkeys(("from_csv", "read_csv", "load_csv", "csv_file", "table"), "pn.datasets.csv(path, target='...')"),
    "Dataset": "pn.Dataset",
    "Splits": "pn.Splits",
    "read_idx": "pn.read_idx",
}
OF_LOSSES = {
    **dict.fromkeys(
        ("CrossEntropyLoss", "SparseCategoricalCrossentropy", "CategoricalCrossentropy", "cross_entropy", "NLLLoss"),
        "pn.fit(model, data, loss='cross_entropy'), or pn.ops.cross_entropy(outputs, targets) by hand",
    ),
    **dict.fromkeys(
        ("BCELoss", "BCEWithLogitsLoss", "BinaryCrossentropy", "binary_cross_entropy"),
        "pn.fit(model, data, loss='binary_cross_entropy'), or pn.ops.binary_cross_entropy(outputs, targets) by hand",
    ),
    **dict.fromkeys(
        ("MSELoss", "MeanSquaredError", "mse"),
        "pn.fit(model, data, loss='mse'), or pn.ops.mse(outputs, targets) by hand",
    ),
    **dict.fromkeys(
        ("L1Loss", "MeanAbsoluteError", "mae"),
        "pn.fit(model, data, loss='mae'), or pn.ops.mae(outputs, targets) by hand",
    ),
    **dict.fromkeys(
        ("HuberLoss", "Huber", "SmoothL1Loss", "huber"),
        "pn.fit(model, data, loss='huber'), or pn.ops.huber(outputs, targets) by hand",
    ),
    "get": "a name, pn.fit(model, data, loss='mse')",
}
OF_METRICS = {
    **dict.fromkeys(
        (
            "Accuracy",
            "accuracy",
            "accuracy_score",
            "SparseCategoricalAccuracy",
            "CategoricalAccuracy",
            "BinaryAccuracy",
        ),
        "pn.evaluate(model, data).accuracy, or pn.ops.accuracy(outputs, targets)",
    ),
    **dict.fromkeys(("confusion_matrix", "ConfusionMatrix"), "pn.evaluate(model, data).confusion"),
    **dict.fromkeys(("Precision", "precision_score"), "pn.evaluate(model, data).precision"),
    **dict.fromkeys(("Recall", "recall_score"), "pn.evaluate(model, data).recall"),
    **dict.fromkeys(("F1Score", "f1_score"), "pn.evaluate(model, data).f1"),
    "classification_report": "pn.evaluate(model, data), which print shows",
    **dict.fromkeys(("AUC", "auc", "roc_auc_score", "AUROC"), "pn.metrics.roc_auc, which takes labels and scores"),
    **dict.fromkeys(("average_precision_score", "pr_auc"), "pn.metrics.average_precision"),
    "balanced_accuracy_score": "pn.metrics.balanced_accuracy",
    **dict.fromkeys(("top_k_accuracy_score", "top_k_accuracy"), "pn.metrics.top_k"),
    **dict.fromkeys(("brier_score_loss", "brier_score"), "pn.metrics.brier"),
    **dict.fromkeys(("ece", "expected_calibration_error"), "pn.metrics.calibration_error"),
    **dict.fromkeys(
        ("MeanSquaredError", "mean_squared_error"), "pn.fit(model, data, metrics=['mse']), or pn.metrics.mse on arrays"
    ),
    **dict.fromkeys(
        ("MeanAbsoluteError", "mean_absolute_error"),
        "pn.fit(model, data, metrics=['mae']), or pn.metrics.mae on arrays",
    ),
    **dict.fromkeys(("r2_score", "R2Score"), "pn.metrics.r2, or pn.evaluate(model, data).r2"),
    "Estimate": "pn.Estimate",
}
OF_SCHEDULES = {
    **dict.fromkeys(("OneCycleLR", "OneCyclePolicy", "CyclicLR"), "pn.fit(model, data, schedule='one-cycle')"),
    **dict.fromkeys(("CosineDecay", "CosineAnnealingLR", "CosineAnnealing"), "pn.fit(model, data, schedule='cosine')"),
    **dict.fromkeys(("StepLR", "MultiStepLR", "PiecewiseConstantDecay"), "pn.fit(model, data, schedule='step')"),
    **dict.fromkeys(
        (
            "ExponentialDecay",
            "ExponentialLR",
            "LambdaLR",
            "LearningRateSchedule",
            "PolynomialDecay",
            "linear",
            "exponential",
        ),
        "a function: pn.fit(model, data, schedule=lambda step, steps: 1 - step / steps)",
    ),
    "ReduceLROnPlateau": "pn.fit(model, data, schedule='one-cycle'), which needs no plateau",
}
OF_INITIALIZERS = {
    **dict.fromkeys(("HeUniform", "kaiming_uniform_", "kaiming_uniform", "he"), "pn.initializers.he_uniform"),
    **dict.fromkeys(("HeNormal", "kaiming_normal_", "kaiming_normal", "kaiming"), "pn.initializers.he_normal"),
    **dict.fromkeys(
        ("GlorotUniform", "xavier_uniform_", "xavier_uniform", "glorot", "xavier"), "pn.initializers.glorot_uniform"
    ),
    **dict.fromkeys(("GlorotNormal", "xavier_normal_", "xavier_normal"), "pn.initializers.glorot_normal"),
    **dict.fromkeys(("RandomNormal", "TruncatedNormal", "normal_", "trunc_normal_"), "pn.initializers.normal"),
    **dict.fromkeys(("RandomUniform", "uniform_"), "pn.initializers.uniform"),
    **dict.fromkeys(("Zeros", "zeros_"), "pn.initializers.zeros"),
    **dict.fromkeys(("Ones", "ones_"), "pn.initializers.ones"),
    **dict.fromkeys(("Constant", "constant_"), "pn.initializers.constant(0.5)"),
    **dict.fromkeys(
        ("Orthogonal", "orthogonal_", "orthogonal", "LecunNormal", "lecun_normal"), "pn.initializers.glorot_normal"
    ),
}
OF_PLOT = {
    **dict.fromkeys(
        ("loss", "curves", "curve", "training", "plot_history", "learning_curve"), "pn.plot.history(history)"
    ),
    **dict.fromkeys(("confusion_matrix", "ConfusionMatrixDisplay", "heatmap", "matrix"), "pn.plot.confusion(report)"),
    **dict.fromkeys(("roc_curve", "RocCurveDisplay", "auc"), "pn.plot.roc, of a report of two classes"),
    **dict.fromkeys(
        ("precision_recall_curve", "PrecisionRecallDisplay", "pr"),
        "pn.plot.precision_recall, of a report of two classes",
    ),
    **dict.fromkeys(("calibration_curve", "CalibrationDisplay", "reliability"), "pn.plot.calibration(report)"),
    **dict.fromkeys(("weights", "kernels", "show_filters"), "pn.plot.filters, of a model with a pn.Conv2D"),
    **dict.fromkeys(
        ("feature_importance", "feature_importances", "importances", "permutation_importance"),
        "pn.plot.importance(pn.importance(model, data))",
    ),
    **dict.fromkeys(("imshow", "image", "show_images", "grid"), "pn.plot.images(x)"),
    **dict.fromkeys(("errors", "wrong", "misclassified"), "pn.plot.mistakes(report, data)"),
    **dict.fromkeys(("predict", "prediction"), "pn.plot.predictions(model, x)"),
    **dict.fromkeys(
        ("saliency", "grad_cam", "gradcam", "GradCAM", "occlusion", "attribution", "show_cam_on_image", "overlay"),
        "pn.plot.heat_map(model, image)",
    ),
    **dict.fromkeys(("html", "to_html", "report", "report_page", "summary"), "pn.plot.page(report, path)"),
    "model": "model.summary()",
    **dict.fromkeys(("show", "savefig", "figure"), "matplotlib.pyplot, on the axes that pn.plot.images(x) returns"),
}
OF_APPS = {
    **dict.fromkeys(("mnist", "digit", "train_digits"), "pn.apps.digits()"),
    **dict.fromkeys(("cnn", "lenet"), "pn.apps.digits_cnn()"),
    **dict.fromkeys(("mlp",), "pn.apps.digits_mlp()"),
    **dict.fromkeys(("xrays", "chest_xray", "pneumonia", "pneumonia_mnist", "train_xray"), "pn.apps.xray()"),
    **dict.fromkeys(("multi_mnist", "double_digits", "overlapping_digits", "pairs"), "pn.apps.two_digits()"),
}
OF_CALLBACKS = {
    **dict.fromkeys(("ModelCheckpoint", "SaveModel"), "pn.callbacks.Checkpoint(path)"),
    **dict.fromkeys(("CSVLogger", "JSONLogger"), "pn.callbacks.LogFile('run.csv')"),
    **dict.fromkeys(("LambdaCallback", "FunctionCallback"), "a function of (epoch, logs)"),
    **dict.fromkeys(
        ("LearningRateScheduler", "LRScheduler"), "the argument schedule of pn.fit, a function of (step, steps)"
    ),
    **dict.fromkeys(("TerminateOnNaN",), "not needed: fit stops at NaN"),
    **dict.fromkeys(("ProgbarLogger", "TQDMProgressBar", "ProgressBar"), "not needed: fit shows its progress"),
    **dict.fromkeys(("History",), "not needed: pn.fit returns the History"),
    **dict.fromkeys(("SummaryWriter",), "pn.callbacks.TensorBoard, which takes a folder"),
    **dict.fromkeys(("Timer", "TimeLimit"), "the argument seconds of pn.fit"),
}
