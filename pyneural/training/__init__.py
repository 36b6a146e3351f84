"""Training: fit, its plan, its loop, optimizers, and checks of gradients."""
