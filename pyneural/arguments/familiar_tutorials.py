"""familiar_tutorials.py -- functions that tutorials write by hand, and the pyneural equivalents."""

_PARTS = "data = pn.datasets.mnist(): data.train.x, data.train.y, data.test.x and data.test.y"
OF_TUTORIALS = {
    **dict.fromkeys(
        ("get_MNIST_data", "get_mnist", "load_data", "loader", "mnist_loader", "read_mnist", "loadlocal_mnist"),
        "pn.datasets.mnist()",
    ),
    **dict.fromkeys(("x_train", "X_train", "train_images", "train_x", "x_test", "X_test", "test_images"), _PARTS),
    **dict.fromkeys(("y_train", "train_labels", "train_y", "y_test", "test_labels", "labels"), _PARTS),
    **dict.fromkeys(("train_data", "test_data", "training_data"), "pn.Dataset(x, y), or pn.datasets.mnist()"),
    **dict.fromkeys(("print_image", "print_digit", "ascii_art"), "print(pn.ascii(image))"),
    **dict.fromkeys(
        ("imshow", "show_image", "plot_image", "display_image", "show_images", "show_digit", "plot_digit"),
        "pn.plot.images(x)",
    ),
    **dict.fromkeys(
        ("normalize", "normalise", "standardize"), "not needed: pn.fit standardizes pixels and tables, and predict too"
    ),
    **dict.fromkeys(
        ("one_hot_encode", "one_hot_encoding", "get_dummies"),
        "pn.fit(model, (x, y)): labels may be numbers, names or one-hot rows",
    ),
    **dict.fromkeys(
        (
            "train_loader",
            "test_loader",
            "shuffle",
            "batches",
            "mini_batches",
            "minibatches",
            "get_batch",
            "next_batch",
            "create_batches",
        ),
        "not needed: pn.fit(model, data, batch_size=64) shuffles, and makes the batches",
    ),
    **dict.fromkeys(("NeuralNetwork", "NeuralNet", "Network", "Net", "MLP"), "pn.Sequential(pn.Dense(8), pn.Dense(3))"),
    **dict.fromkeys(("add_layer", "add_module"), "pn.Sequential(layer, layer, ...)"),
    **dict.fromkeys(("forward", "feedforward", "forward_pass", "forward_prop", "forward_propagation"), "model(x)"),
    **dict.fromkeys(
        ("backprop", "backward", "backpropagation", "backward_pass", "backward_prop", "back_prop"), "loss.backward()"
    ),
    **dict.fromkeys(("gradients", "grads", "dW", "dW1", "d_weights"), "loss.backward(), and then layer.weight.grad"),
    **dict.fromkeys(
        ("update_weights", "update_params", "update_parameters", "gradient_descent", "sgd_step"),
        "loss.backward(), and then optimizer.step(), with optimizer = pn.SGD(model)",
    ),
    **dict.fromkeys(
        ("init_params", "initialize_parameters", "initialize_weights", "init_weights"),
        "not needed: pn.fit does it; by hand, model.build(shape)",
    ),
    **dict.fromkeys(
        ("cost_function", "compute_cost", "cost", "criterion", "loss_function"),
        "pn.ops.cross_entropy(outputs, targets), or pn.fit(model, data, loss='cross_entropy')",
    ),
    **dict.fromkeys(("weights", "biases", "W1", "b1", "parameters"), "model.parameters"),
    **dict.fromkeys(
        (
            "sigmoid_derivative",
            "sigmoid_prime",
            "relu_derivative",
            "relu_deriv",
            "tanh_derivative",
            "softmax_derivative",
        ),
        "not needed: loss.backward() computes it, and pn.check_gradients compares it with differences",
    ),
    **dict.fromkeys(("step_function", "heaviside"), "pn.ops.step(x)"),
    **dict.fromkeys(("train_model", "train_network", "training_loop", "train_one_epoch"), "pn.fit(model, data)"),
    **dict.fromkeys(("plot_loss", "plot_losses", "plot_history", "plot_accuracy"), "pn.plot.history(history)"),
    **dict.fromkeys(("test_model", "evaluate_model", "get_accuracy", "compute_accuracy"), "pn.evaluate(model, data)"),
    **dict.fromkeys(("get_predictions", "make_predictions"), "pn.predict(model, x).argmax(axis=1)"),
    **dict.fromkeys(
        ("predict_with_confidence", "predict_one", "predict_image", "predict_digit"), "pn.classify(model, image)"
    ),
    **dict.fromkeys(
        ("test_samples", "show_samples", "show_predictions", "plot_predictions"),
        "pn.plot.predictions(model, data), or report.samples(10), with report = pn.evaluate(model, data)",
    ),
    **dict.fromkeys(("show_mistakes", "misclassified", "plot_errors", "mistakes"), "pn.plot.mistakes(report, data)"),
    **dict.fromkeys(
        ("preprocess_image", "prepare_image", "center_image"), "pn.prepare_digit, which takes an image or a file"
    ),
    **dict.fromkeys(("torchsummary", "torchinfo", "print_model", "model_summary"), "model.summary()"),
}
