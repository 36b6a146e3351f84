"""familiar_scikit_learn.py -- names of scikit-learn, and the pyneural equivalents."""

OF_SCIKIT_LEARN = {
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
        ),
        "missing: use scikit-learn; pyneural has only neural networks",
    ),
    **dict.fromkeys(
        (
            "Pipeline",
            "make_pipeline",
            "GridSearchCV",
            "RandomizedSearchCV",
            "cross_val_score",
            "cross_validate",
            "learning_curve",
            "validation_curve",
        ),
        "scikit-learn's own, with the estimators pn.Classifier and pn.Regressor",
    ),
    **dict.fromkeys(("VotingClassifier", "VotingRegressor", "BaggingClassifier"), "pn.Ensemble([model, model])"),
    **dict.fromkeys(
        ("joblib", "pickle"), "pn.save(model, path); the model of an estimator is pn.Classifier().fit(x, y).model_"
    ),
    "f1_score": "pn.evaluate(model, data).f1",
    "precision_score": "pn.evaluate(model, data).precision",
    "recall_score": "pn.evaluate(model, data).recall",
    "classification_report": "pn.evaluate(model, data), which print shows",
    "roc_auc_score": "pn.evaluate(model, data).roc_auc, or pn.metrics.roc_auc",
    **dict.fromkeys(
        ("average_precision_score", "pr_auc"),
        "pn.evaluate(model, data).average_precision, or pn.metrics.average_precision",
    ),
    **dict.fromkeys(("brier_score_loss", "brier_score"), "pn.evaluate(model, data).brier, or pn.metrics.brier"),
    "r2_score": "pn.evaluate(model, data).r2, or pn.metrics.r2",
    "mean_squared_error": "pn.metrics.mse, on arrays; a report of values has it too",
    "mean_absolute_error": "pn.metrics.mae, on arrays; a report of values has it too",
    "log_loss": "pn.evaluate(model, data).loss",
    **dict.fromkeys(
        ("roc_curve", "RocCurveDisplay"), "pn.plot.roc, of a report of two classes, or pn.metrics.roc_curve"
    ),
    **dict.fromkeys(
        ("precision_recall_curve", "PrecisionRecallDisplay"),
        "pn.plot.precision_recall, of a report of two classes, or pn.metrics.precision_recall_curve",
    ),
    **dict.fromkeys(
        ("calibration_curve", "CalibrationDisplay"), "pn.plot.calibration(report), or pn.metrics.calibration_curve"
    ),
    "ConfusionMatrixDisplay": "pn.plot.confusion(report)",
    "MLPClassifier": "pn.Classifier(hidden=(100,))",
    "MLPRegressor": "pn.Regressor(hidden=(100,))",
    "StandardScaler": "pn.fit(model, data, preprocess='dataset')",
    "OneHotEncoder": "pn.fit(model, (x, y)): labels may be numbers, names or one-hot rows",
    "LabelEncoder": "pn.fit(model, (x, y)): labels may be numbers, names or one-hot rows",
    "to_categorical": "pn.fit(model, (x, y)): labels may be numbers, names or one-hot rows",
    "train_test_split": "pn.fit(model, data, validation=0.1), or train, test = pn.Dataset(x, y).split(0.2)",
    "accuracy_score": "pn.evaluate(model, data).accuracy",
    "confusion_matrix": "pn.evaluate(model, data).confusion",
    **dict.fromkeys(
        ("random_split", "GroupShuffleSplit", "StratifiedShuffleSplit"), "train, test = pn.Dataset(x, y).split(0.2)"
    ),
    **dict.fromkeys(("KFold", "StratifiedKFold", "GroupKFold", "StratifiedGroupKFold"), "pn.Dataset(x, y).folds(5)"),
    **dict.fromkeys(("compute_class_weight", "compute_sample_weight"), "pn.fit(model, data, class_weight='balanced')"),
}
