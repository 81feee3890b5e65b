"""The recipes are the tutorials' settings, to the letter."""

import pytest

from cnnlab import datasets, models, recipes
from cnnlab.config import TrainConfig
from cnnlab.registry import UnknownName

# The tutorials' table: network, data, optimiser, lr, momentum, batch, epochs, scaling, validation, every, images, watch
TUTORIALS = {
    "simple_cnn": ("simple_cnn", "mnist", "adam", 0.001, 0.0, 64, 5, "half", 0, 0, 0, True),
    "cnn_5x5": ("cnn_5x5", "mnist", "adam", 0.001, 0.0, 50, 1, "unit", 0, 50, 2000, True),
    "cnn_5x5_steps": ("cnn_5x5", "mnist", "adam", 0.001, 0.0, 64, 3, "unit", 0, 100, 0, True),
    "conv_module": ("conv_module", "mnist", "adam", 0.001, 0.0, 64, 20, "half", 0, 0, 0, True),
    "mlp": ("mlp", "mnist", "sgd", 0.01, 0.0, 20, 30, "unit", 0, 0, 0, True),
    "cifar_cnn": ("cifar_cnn", "cifar10", "sgd", 0.001, 0.9, 20, 8, "half", 0.2, 0, 0, False),
}
COLUMNS = (
    "model dataset optimizer lr momentum batch_size epochs scaling validation_fraction "
    "eval_every eval_images watch_test"
).split()


@pytest.mark.parametrize("name", TUTORIALS)
def test_a_tutorials_recipe_has_its_settings_and_no_other(name):
    assert recipes.get(name).config == TrainConfig(**dict(zip(COLUMNS, TUTORIALS[name], strict=True)))


OURS = {"quick_digits": "digits", "quick_mnist": "mnist", "fast_cifar10": "cifar10", "accurate_cifar10": "cifar10"}


def test_the_recipes_are_the_tutorials_and_our_own():
    assert set(recipes.RECIPES) == {*TUTORIALS, *OURS}


@pytest.mark.parametrize("name", OURS)
def test_our_own_recipes_hold_out_validation_data_and_never_watch_the_test_set(name):
    config = recipes.get(name).config
    assert config.validation_fraction > 0 and not config.watch_test and config.dataset == OURS[name]


@pytest.mark.parametrize("name", recipes.RECIPES)
def test_a_recipe_can_be_built_and_says_what_it_is(name):
    recipe = recipes.get(name)
    assert recipe.name == name and recipe.title and recipe.summary.endswith(".")
    models.outline(recipe.config, *datasets.DATASETS.get(recipe.config.dataset).shape)


def test_an_unknown_recipe_is_answered_with_the_known_ones():
    with pytest.raises(UnknownName, match=r"Unknown recipe 'lenet'. Available: quick_digits, quick_mnist"):
        recipes.get("lenet")
