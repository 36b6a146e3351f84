"""familiar_training.py -- words of other libraries for a training: its arguments, optimizers, callbacks, history."""

# keywords of trainings in other libraries
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
# attributes of histories in other libraries
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
