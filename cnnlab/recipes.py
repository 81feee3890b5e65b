"""Recipes: named TrainConfigs, the tutorials' own settings and our faster ones.

>>> get("simple_cnn").config.batch_size
64
"""

from dataclasses import dataclass

from cnnlab.config import TrainConfig
from cnnlab.registry import Registry


@dataclass(frozen=True)
class Recipe:
    """A TrainConfig with a name and what it is good for."""

    name: str
    title: str
    summary: str
    config: TrainConfig


RECIPES: Registry[Recipe] = Registry("recipe")
FIRST_RECIPE = "quick_digits"  # for who has not chosen one: it needs no download and takes seconds


def get(name: str) -> Recipe:
    """The recipe called ``name``; raises UnknownName with the list of known names."""
    return RECIPES.get(name)


def _add(name: str, title: str, summary: str, config: TrainConfig) -> None:
    RECIPES.add(name, Recipe(name, title, summary, config))


_add(
    "quick_digits",
    "Quick digits",
    "Our own: a small residual network on the built-in digits, no download, seconds on a laptop.",
    TrainConfig(
        dataset="digits",
        model="tiny_resnet",
        optimizer="adamw",
        lr=0.003,
        weight_decay=0.01,
        schedule="one_cycle",
        batch_size=32,
        epochs=12,
        augment_shift=2,
    ),
)
_add(
    "quick_mnist",
    "Quick MNIST",
    "Our own: patches of 2×2 pixels and large steps on MNIST, 99 % in two epochs.",
    TrainConfig(
        dataset="mnist",
        model="fast_cnn",
        optimizer="sgd",
        lr=0.2,
        momentum=0.9,
        nesterov=True,
        weight_decay=0.002,
        schedule="one_cycle",
        warmup_epochs=0.2,
        batch_size=128,
        epochs=2,
        validation_fraction=0.05,
        eval_every=100,
    ),
)
_add(
    "fast_cifar10",
    "Fast CIFAR-10",
    "Our own: patches of 2×2 pixels, large steps and a one-cycle rate learn CIFAR-10 in seconds an epoch on a CPU.",
    TrainConfig(
        dataset="cifar10",
        model="fast_cnn",
        optimizer="sgd",
        lr=0.2,
        momentum=0.9,
        nesterov=True,
        weight_decay=0.0005,
        schedule="one_cycle",
        batch_size=128,
        epochs=5,
        label_smoothing=0.1,
        augment_flip=True,
        augment_shift=2,
    ),
)
_add(
    "accurate_cifar10",
    "Accurate CIFAR-10",
    "Our own: a residual network with wide layers in bfloat16 learns CIFAR-10 well; best on a GPU.",
    TrainConfig(
        dataset="cifar10",
        model="resnet11",
        optimizer="sgd",
        lr=0.4,
        momentum=0.9,
        nesterov=True,
        weight_decay=0.0005,
        schedule="one_cycle",
        batch_size=512,
        epochs=24,
        label_smoothing=0.1,
        augment_flip=True,
        augment_shift=4,
        augment_erase=8,
        precision="bfloat16",
        validation_fraction=0.04,
    ),
)
_add(
    "simple_cnn",
    "Tutorial: simple CNN",
    "Two 3×3 convolutions on MNIST, Adam; loss and accuracy for each epoch, test accuracy at the end.",
    TrainConfig(
        dataset="mnist",
        model="simple_cnn",
        optimizer="adam",
        lr=0.001,
        batch_size=64,
        epochs=5,
        scaling="half",
        validation_fraction=0,
        watch_test=True,
    ),
)
_add(
    "cnn_5x5",
    "Tutorial: 5×5 CNN",
    "Two 5×5 convolutions on MNIST for one epoch, watched every 50 steps on the first 2,000 test images.",
    TrainConfig(
        dataset="mnist",
        model="cnn_5x5",
        optimizer="adam",
        lr=0.001,
        batch_size=50,
        epochs=1,
        scaling="unit",
        validation_fraction=0,
        watch_test=True,
        eval_every=50,
        eval_images=2000,
    ),
)
_add(
    "cnn_5x5_steps",
    "Tutorial: 5×5 CNN by steps",
    "The same network for three epochs, watched every 100 steps on the whole test set.",
    TrainConfig(
        dataset="mnist",
        model="cnn_5x5",
        optimizer="adam",
        lr=0.001,
        batch_size=64,
        epochs=3,
        scaling="unit",
        validation_fraction=0,
        watch_test=True,
        eval_every=100,
    ),
)
_add(
    "conv_module",
    "Tutorial: convolution module",
    "A wide CNN with three linear layers on MNIST, 20 epochs, curves of training and test loss and accuracy.",
    TrainConfig(
        dataset="mnist",
        model="conv_module",
        optimizer="adam",
        lr=0.001,
        batch_size=64,
        epochs=20,
        scaling="half",
        validation_fraction=0,
        watch_test=True,
    ),
)
_add(
    "mlp",
    "Tutorial: MLP",
    "No convolution at all: a perceptron with dropout on MNIST, plain SGD, 30 epochs.",
    TrainConfig(
        dataset="mnist",
        model="mlp",
        optimizer="sgd",
        lr=0.01,
        batch_size=20,
        epochs=30,
        scaling="unit",
        validation_fraction=0,
        watch_test=True,
    ),
)
_add(
    "cifar_cnn",
    "Tutorial: CIFAR-10 CNN",
    "Three convolutions on CIFAR-10, SGD with momentum, 20 % held out, the weights of the lowest validation loss kept.",
    TrainConfig(
        dataset="cifar10",
        model="cifar_cnn",
        optimizer="sgd",
        lr=0.001,
        momentum=0.9,
        batch_size=20,
        epochs=8,
        scaling="half",
        validation_fraction=0.2,
    ),
)
