"""familiar_names.py -- names in other libraries' packages and modules, and the pyneural equivalents."""

DTYPES = ("float32", "float64", "int64", "uint8")
# names that users look for in the package
OF_PACKAGE = {
    **dict.fromkeys(("Conv1D", "Conv1d"), "pn.Conv2D on inputs (n, 1, length, channels), with size (1, 5)"),
    **dict.fromkeys(("Conv3D", "Conv3d"), "missing: there are only 2-D convolutions, pn.Conv2D"),
    **dict.fromkeys(
        ("Conv2DTranspose", "ConvTranspose2d", "ConvTranspose1d", "UpSampling2D", "Upsample", "PixelShuffle"),
        "missing: there are no upsampling layers",
    ),
    **dict.fromkeys(
        ("LSTM", "GRU", "RNN", "SimpleRNN", "Bidirectional", "TimeDistributed", "Masking", "GRUCell", "LSTMCell"),
        "missing: there are no recurrent layers",
    ),
    **dict.fromkeys(
        ("Transformer", "TransformerEncoder", "MultiHeadAttention", "MultiheadAttention", "Attention"),
        "missing: there are no attention layers; a custom pn.Layer can compute attention with pn.ops",
    ),
    **dict.fromkeys(
        ("Lambda", "PReLU", "Bilinear", "ZeroPadding2D", "Cropping2D", "Permute", "RepeatVector"),
        "a class of your own: class Mine(pn.Layer), with a method call(self, x, *, training)",
    ),
    **dict.fromkeys(
        ("Rescaling", "Normalization", "Normalizer", "MinMaxScaler", "RobustScaler"),
        "pn.fit(model, data, preprocess='dataset')",
    ),
    **dict.fromkeys(("GroupNorm", "GroupNormalization", "InstanceNorm2d", "RMSNorm"), "pn.LayerNorm, or pn.BatchNorm"),
    **dict.fromkeys(
        ("MaxPool1D", "MaxPool1d", "MaxPooling1D"), "pn.MaxPool2D((1, 2)) on inputs (n, 1, length, channels)"
    ),
    **dict.fromkeys(
        ("AvgPool1D", "AvgPool1d", "AveragePooling1D"), "pn.AvgPool2D((1, 2)) on inputs (n, 1, length, channels)"
    ),
    **dict.fromkeys(("AdaptiveAvgPool2d", "GlobalAveragePooling2d", "GlobalAvgPool2d"), "pn.GlobalAvgPool2D"),
    **dict.fromkeys(
        ("GlobalMaxPooling2D", "GlobalMaxPool2D", "AdaptiveMaxPool2d"),
        "pn.GlobalAvgPool2D, or pn.MaxPool2D over the whole image",
    ),
    **dict.fromkeys(
        ("Subtract", "Average", "Maximum", "Minimum", "Dot"), "arithmetic on nodes: a - b, a * b, (a + b) * 0.5"
    ),
    **dict.fromkeys(("SpatialDropout2D", "AlphaDropout", "GaussianDropout", "GaussianNoise"), "pn.Dropout"),
    **dict.fromkeys(("LogSoftmax", "log_softmax"), "pn.ops.log_softmax(x); the loss has one in it already"),
    **dict.fromkeys(("LeakyReLU", "leaky_relu"), "pn.Activation('leaky_relu'), or pn.Dense(32, 'leaky_relu')"),
    **dict.fromkeys(("ELU", "elu"), "pn.Activation('elu'), or pn.Dense(32, 'elu')"),
    **dict.fromkeys(("GELU", "gelu"), "pn.Activation('gelu'), or pn.Dense(32, 'gelu')"),
    **dict.fromkeys(("Softplus", "softplus"), "pn.Activation('softplus'), or pn.Dense(32, 'softplus')"),
    **dict.fromkeys(
        ("SiLU", "Swish", "Mish", "Hardswish", "SELU", "silu", "swish", "mish", "selu", "ReLU6", "Softsign"),
        "pn.Activation('gelu'), which is close to it",
    ),
    **dict.fromkeys(("Identity", "identity", "linear"), "not needed: a layer without an activation is linear"),
    **dict.fromkeys(("ModuleList", "ModuleDict"), "a list of layers as an attribute of a custom pn.Layer"),
    **dict.fromkeys(("ParameterList", "ParameterDict"), "self.parameter(name, shape) in a pn.Layer's build, for each"),
    "Unflatten": "pn.Reshape",
    "EmbeddingBag": "pn.Embedding",
    **dict.fromkeys(("Adamax", "Nadam", "Adagrad", "Adadelta", "Ftrl", "Lion", "LBFGS", "RAdam", "NAdam"), "pn.Adam"),
    **dict.fromkeys(("RMSProp",), "pn.RMSprop"),
    **dict.fromkeys(
        ("EarlyStopping", "ModelCheckpoint", "Callback", "ReduceLROnPlateau", "TensorBoard", "CSVLogger", "callbacks"),
        "not needed: pn.fit restores the best weights; history.to_csv(path) writes the history",
    ),
    **dict.fromkeys(
        (
            "lr_scheduler",
            "LearningRateScheduler",
            "StepLR",
            "OneCycleLR",
            "CosineAnnealingLR",
            "ExponentialDecay",
            "CosineDecay",
        ),
        "pn.fit(model, data, schedule='cosine'): one-cycle, cosine, step, constant, or a function (step, steps)",
    ),
    **dict.fromkeys(
        ("set_seed", "set_random_seed", "random_seed", "seed", "manual_seed", "random", "Generator"),
        "pn.fit(model, data, seed=0); a model by hand takes pn.Sequential(pn.Dense(3), seed=0)",
    ),
    **dict.fromkeys(("clone_model", "clone"), "copy.deepcopy(model)"),
    **dict.fromkeys(("plot_model", "summary"), "model.summary()"),
    **dict.fromkeys(("image_dataset_from_directory", "ImageFolder", "ImageDataGenerator"), "pn.datasets.folder(path)"),
    **dict.fromkeys(
        ("RandomFlip", "RandomRotation", "RandomZoom", "transforms", "augment"),
        "missing: there is no data augmentation",
    ),
    **dict.fromkeys(("Resizing", "Resize"), "pn.datasets.folder(path, size=(64, 64))"),
    **dict.fromkeys(
        ("layers", "models", "utils", "backend", "activations", "callback", "preprocessing", "torch", "tf"),
        "pn itself: pn.Dense, pn.Sequential, pn.fit",
    ),
    **dict.fromkeys(
        ("GlorotUniform", "GlorotNormal", "HeUniform", "HeNormal", "RandomNormal", "init", "xavier_uniform_"),
        "a name, pn.Dense(32, init='he_normal'), or a function of pn.initializers",
    ),
    "optimizers": "pn.SGD, pn.RMSprop, pn.Adam or pn.AdamW",
    "applications": "missing: there are no pretrained models",
    **dict.fromkeys(
        ("regularizers", "constraints", "L1", "L2", "l1", "l2"), "pn.AdamW(weight_decay=0.01) as the optimizer"
    ),
    **dict.fromkeys(
        ("NLLLoss", "SparseCategoricalCrossentropy", "CategoricalCrossentropy"),
        "pn.fit(model, data), or pn.ops.cross_entropy(outputs, targets) by hand",
    ),
    **dict.fromkeys(
        ("BCELoss", "BCEWithLogitsLoss", "BinaryCrossentropy"),
        "pn.fit(model, data), or pn.ops.binary_cross_entropy(outputs, targets) by hand",
    ),
    **dict.fromkeys(
        ("L1Loss", "MeanAbsoluteError"), "pn.fit(model, data, loss='mae'), or pn.ops.mae(outputs, targets) by hand"
    ),
    **dict.fromkeys(
        ("SmoothL1Loss", "HuberLoss", "Huber"),
        "pn.fit(model, data, loss='huber'), or pn.ops.huber(outputs, targets) by hand",
    ),
    "MeanSquaredError": "pn.fit(model, data, loss='mse'), or pn.ops.mse(outputs, targets) by hand",
    **dict.fromkeys(
        ("KLDivLoss", "KLDivergence"), "pn.ops.cross_entropy(outputs, targets), where targets are probabilities"
    ),
    **dict.fromkeys(("Subset", "random_split", "KFold", "StratifiedKFold"), "data.take(rows)"),
    **dict.fromkeys(
        ("inference_mode", "GradientTape", "autograd"), "loss.backward(), and `with pn.no_grad():` where none is needed"
    ),
    **dict.fromkeys(("jit", "compile", "function"), "not needed: the engine is compiled code, and ops run eagerly"),
    **dict.fromkeys(("is_tensor",), "isinstance(x, pn.Tensor)"),
    **dict.fromkeys(("cat",), "pn.concat(tensors)"),
    **dict.fromkeys(("einsum", "mm", "bmm", "dot"), "pn.ops.matmul(a, b)"),
    **dict.fromkeys(
        ("LogisticRegression", "LogisticRegressionCV", "SGDClassifier", "Perceptron"),
        "pn.Sequential(pn.Dense(classes)), and pn.fit",
    ),
    **dict.fromkeys(("LinearRegression", "Ridge", "SGDRegressor"), "pn.Sequential(pn.Dense(1)), and pn.fit"),
    **dict.fromkeys(
        (
            "RandomForestClassifier",
            "SVC",
            "KMeans",
            "PCA",
            "Pipeline",
            "make_pipeline",
            "GridSearchCV",
            "cross_val_score",
        ),
        "missing: use scikit-learn; pyneural has only neural networks",
    ),
    **dict.fromkeys(
        ("f1_score", "precision_score", "recall_score", "classification_report"), "pn.evaluate(model, data).confusion"
    ),
    "roc_auc_score": "pn.evaluate(model, data).outputs and .labels, with the function of scikit-learn",
    **dict.fromkeys(("r2_score",), "pn.evaluate(model, data).r2"),
    **dict.fromkeys(("mean_squared_error", "mean_absolute_error", "log_loss"), "pn.evaluate(model, data).loss"),
    **dict.fromkeys(("load_digits",), "pn.datasets.mnist('sample')"),
    **dict.fromkeys(
        ("load_iris", "make_moons", "make_classification", "fetch_openml", "CIFAR10", "cifar10"),
        "arrays of your own: pn.fit(model, (x, y))",
    ),
    **dict.fromkeys(
        ("permute", "tile", "sort", "argsort", "cumsum", "round", "clamp"), "pn.ops, or NumPy on x.numpy()"
    ),
    **dict.fromkeys(
        ("random_normal", "random_uniform", "randint", "normal", "uniform", "randperm"),
        "pn.tensor(values), with values of NumPy's generator",
    ),
    **dict.fromkeys(("load_weights", "load_state", "restore"), "pn.load(path)"),
    **dict.fromkeys(("save_weights", "export", "dump"), "pn.save(model, path)"),
    **dict.fromkeys(("gpu", "set_device", "mps", "to"), "not needed: everything runs on the CPU"),
    **dict.fromkeys(("set_num_threads",), "pn.set_threads(n)"),
    **dict.fromkeys(("get_num_threads",), "pn.get_threads()"),
    "batch_norm": "pn.BatchNorm, or pn.ops.batch_norm",
    "BatchNorm1d": "pn.BatchNorm",
    "BatchNorm1D": "pn.BatchNorm",
    "BatchNorm2D": "pn.BatchNorm",
    "Linear": "pn.Dense",
    "Conv2d": "pn.Conv2D",
    "SeparableConv2D": "pn.DepthwiseConv2D(3), and a pn.Conv2D(filters, 1) behind it",
    "MaxPool2d": "pn.MaxPool2D",
    "MaxPooling2D": "pn.MaxPool2D",
    "AvgPool2d": "pn.AvgPool2D",
    "AveragePooling2D": "pn.AvgPool2D",
    "GlobalAveragePooling2D": "pn.GlobalAvgPool2D",
    "BatchNorm2d": "pn.BatchNorm",
    "BatchNormalization": "pn.BatchNorm",
    "LayerNormalization": "pn.LayerNorm",
    "Dropout2d": "pn.Dropout",
    "ReLU": "pn.Activation('relu'), or pn.Dense(32, 'relu')",
    "Sigmoid": "pn.Activation('sigmoid')",
    "Tanh": "pn.Activation('tanh')",
    "Softmax": "pn.Activation('softmax'); the loss has one in it already",
    "CrossEntropyLoss": "pn.fit(model, data), or pn.ops.cross_entropy(outputs, targets) by hand",
    "MSELoss": "pn.fit(model, data, loss='mse'), or pn.ops.mse(outputs, targets) by hand",
    "nn": "pn.Dense, pn.Conv2D and so on: all layers are in pn itself",
    "optim": "pn.SGD, pn.RMSprop, pn.Adam or pn.AdamW",
    "keras": "pn itself: pn.Sequential, pn.Dense, pn.fit",
    "functional": "pn.ops",
    "Module": "pn.Layer",
    "Variable": "pn.tensor(values, requires_grad=True)",
    "Parameter": "self.parameter(name, shape), in a pn.Layer's build",
    "array": "pn.tensor(values)",
    "from_numpy": "pn.tensor(values)",
    "asarray": "pn.tensor(values)",
    "as_tensor": "pn.tensor(values)",
    "empty": "pn.zeros(shape)",
    "zeros_like": "pn.zeros(x.shape)",
    "ones_like": "pn.ones(x.shape)",
    "full_like": "pn.full(x.shape, value)",
    "eye": "pn.tensor(np.eye(n))",
    "linspace": "pn.tensor(np.linspace(start, stop, n))",
    "concatenate": "pn.concat(tensors)",
    "vstack": "pn.concat(tensors)",
    "hstack": "pn.concat(tensors, axis=1)",
    **{name: f"the name '{name}', as in pn.tensor(values, '{name}')" for name in DTYPES},
    "set_grad_enabled": "`with pn.no_grad():`",
    "enable_grad": "`with pn.no_grad():` around the rest",
    "load_state_dict": "pn.load(path)",
    "device": "not needed: everything runs on the CPU",
    "cuda": "not needed: everything runs on the CPU",
    "DataLoader": "pn.fit(model, (x, y), batch_size=64), or a list of batches",
    "TensorDataset": "pn.Dataset(x, y)",
    "train": "pn.fit(model, data)",
    "score": "pn.evaluate(model, data)",
    "test": "pn.evaluate(model, data)",
    "predict_proba": "pn.predict(model, x)",
    "load_model": "pn.load(path)",
    "save_model": "pn.save(model, path)",
    "load_mnist": "pn.datasets.mnist()",
    "mnist": "pn.datasets.mnist()",
    "MLPClassifier": "pn.Sequential(pn.Dense(100, 'relu'), pn.Dense(classes)), and pn.fit",
    "MLPRegressor": "pn.Sequential(pn.Dense(100, 'relu'), pn.Dense(1)), and pn.fit",
    "StandardScaler": "pn.fit(model, data, preprocess='dataset')",
    "OneHotEncoder": "pn.fit(model, (x, y)): labels may be numbers, names or one-hot rows",
    "LabelEncoder": "pn.fit(model, (x, y)): labels may be numbers, names or one-hot rows",
    "to_categorical": "pn.fit(model, (x, y)): labels may be numbers, names or one-hot rows",
    "train_test_split": "pn.fit(model, data, validation=0.1), or data.take(rows)",
    "accuracy_score": "pn.evaluate(model, data).accuracy",
    "confusion_matrix": "pn.evaluate(model, data).confusion",
    "rand": "pn.tensor(values), with values of NumPy's generator",
    "randn": "pn.tensor(values), with values of NumPy's generator",
    "digits": "pn.apps.digits()",
    "relu": "'relu' in a layer, pn.Dense(32, 'relu'), or pn.ops.relu(x)",
    "softmax": "'softmax' in a layer, or pn.ops.softmax(x)",
}
# names that users look for in modules of the package
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
            "FashionMNIST",
            "fashion_mnist",
            "cifar10",
            "CIFAR10",
            "load_iris",
            "iris",
            "make_moons",
            "imdb",
            "fetch_openml",
            "load_breast_cancer",
            "boston_housing",
            "csv",
            "from_csv",
        ),
        "arrays of your own: pn.fit(model, (x, y)), or pn.Dataset(x, y)",
    ),
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
    **dict.fromkeys(
        ("Precision", "Recall", "F1Score", "f1_score", "precision_score", "recall_score", "classification_report"),
        "pn.evaluate(model, data).confusion",
    ),
    **dict.fromkeys(
        ("AUC", "roc_auc_score"), "pn.evaluate(model, data).outputs and .labels, with a function of scikit-learn"
    ),
    **dict.fromkeys(
        ("MeanSquaredError", "mse", "mean_squared_error"), "pn.fit(model, data, metrics=['mse']), or pn.ops.mse"
    ),
    **dict.fromkeys(
        ("MeanAbsoluteError", "mae", "mean_absolute_error"), "pn.fit(model, data, metrics=['mae']), or pn.ops.mae"
    ),
    **dict.fromkeys(("r2_score", "R2Score"), "pn.evaluate(model, data).r2"),
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
    **dict.fromkeys(("imshow", "image", "show_images", "grid"), "pn.plot.images(x)"),
    **dict.fromkeys(("errors", "wrong", "misclassified"), "pn.plot.mistakes(report, data)"),
    **dict.fromkeys(("predict", "prediction"), "pn.plot.predictions(model, x)"),
    "model": "model.summary()",
    **dict.fromkeys(("show", "savefig", "figure"), "matplotlib.pyplot, on the axes that pn.plot.images(x) returns"),
}
OF_APPS = {
    **dict.fromkeys(("mnist", "digit", "train_digits"), "pn.apps.digits()"),
    **dict.fromkeys(("cnn", "lenet"), "pn.apps.digits_cnn()"),
    **dict.fromkeys(("mlp",), "pn.apps.digits_mlp()"),
}
