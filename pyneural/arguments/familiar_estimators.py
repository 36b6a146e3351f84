"""familiar_estimators.py -- arguments and attributes of other libraries' estimators, and those of pn.Classifier."""

OF_ESTIMATORS = {
    **dict.fromkeys(("hidden_layer_sizes", "hidden_layers", "layer_sizes", "layers", "units", "neurons"), "hidden"),
    **dict.fromkeys(("max_iter", "n_epochs", "max_epochs", "num_epochs", "n_iter", "nb_epoch"), "epochs"),
    **dict.fromkeys(("learning_rate_init", "lr", "eta", "eta0"), "learning_rate"),
    **dict.fromkeys(("alpha", "l2", "reg_lambda"), "weight_decay"),
    **dict.fromkeys(("solver", "optim", "optimiser"), "optimizer"),
    **dict.fromkeys(("seed", "random_seed", "rng"), "random_state"),
    **dict.fromkeys(("early_stopping", "n_iter_no_change", "early_stopping_rounds"), "patience"),
    **dict.fromkeys(("validation_fraction", "validation_split", "validation_data", "eval_set", "valid"), "validation"),
    **dict.fromkeys(("scoring", "scorer", "eval_metric", "metric"), "validation_scorer"),
    **dict.fromkeys(("module", "network", "net", "build_fn"), "model"),
    **dict.fromkeys(("criterion", "loss_fn", "loss_function"), "loss"),
    **dict.fromkeys(("batch", "minibatch_size"), "batch_size"),
    **dict.fromkeys(("dropout_rate", "drop_rate"), "dropout"),
    **dict.fromkeys(("batch_normalization", "batchnorm", "use_batch_norm"), "batch_norm"),
    **dict.fromkeys(("class_weights", "scale_pos_weight", "pos_weight"), "class_weight"),
    **dict.fromkeys(("lr_schedule", "lr_scheduler", "scheduler", "learning_rate_schedule"), "schedule"),
    **dict.fromkeys(("momentum", "nesterovs_momentum"), "optimizer=pn.SGD(momentum=0.9)"),
    **dict.fromkeys(("beta_1", "beta_2"), "optimizer=pn.Adam(beta1=0.9)"),
    "tol": "patience, which counts epochs without any improvement",
    "shuffle": "not needed: training data is always shuffled",
    **dict.fromkeys(("n_jobs", "nthread", "num_threads"), "pn.set_threads(n) before"),
    "device": "not needed: everything runs on the CPU",
    "sample_weight": "fit(X, y, sample_weight=...)",
}
# attributes of fitted estimators elsewhere
OF_FITTED = {
    "loss_curve_": "estimator.history_['loss']",
    "loss_": "estimator.history_['loss'][-1]",
    "best_loss_": "min(estimator.history_['loss'])",
    **dict.fromkeys(
        ("validation_scores_", "best_validation_score_"),
        "estimator.history_['val_score'], with validation_scorer='accuracy'",
    ),
    **dict.fromkeys(("coefs_", "intercepts_"), "estimator.model_.parameters"),
    **dict.fromkeys(("n_layers_", "layers_", "module_"), "estimator.model_.layers"),
    "out_activation_": "estimator.model_.summary()",
    "t_": "estimator.history_.steps",
    **dict.fromkeys(("history", "train_history_"), "estimator.history_"),
    "network_": "estimator.model_",
}
# arguments of fit(X, y) elsewhere, which are arguments of the constructor here
OF_ESTIMATORS_FIT = {
    **{word: f"the constructor's {ours}" for word, ours in OF_ESTIMATORS.items() if ours.isidentifier()},
    **{ours: f"the constructor's {ours}" for ours in OF_ESTIMATORS.values() if ours.isidentifier()},
    **{word: f"the constructor's {word}" for word in ("verbose", "callbacks", "seconds", "ema", "warm_start")},
    **dict.fromkeys(("sample_weights", "weights", "weight"), "sample_weight"),
}
