"""TrainConfig and its errors: one definition, ranges that hold, sentences that help."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import nn

from cnnlab import models, recipes
from cnnlab.config import GROUPS, ConvBlock, TrainConfig, applies, choices, condition, form_facts, limits, shown
from cnnlab.models import MODELS
from cnnlab.parsing import ConfigError, adapt, differences, parse

FIELDS = TrainConfig.model_fields
NUMERIC = [name for name, info in FIELDS.items() if limits(info) != (None, None)]
CHOSEN = [name for name, info in FIELDS.items() if choices(info)]


def with_its_condition(name: str, value: object) -> dict[str, object]:
    """Raw values that set ``name``, and whatever it depends on."""
    values = {name: value}
    if when := condition(name):
        values[when[0]] = when[1]
    return values


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_has_what_the_form_shows(name):
    assert FIELDS[name].title and FIELDS[name].description
    assert FIELDS[name].description.endswith(".")
    assert form_facts(name)["group"] in GROUPS
    assert not FIELDS[name].is_required()


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_depends_on_another_fields_real_values(name):
    if when := condition(name):
        field, *values = when
        assert field in FIELDS and values
        allowed = {"model": list(MODELS), "dataset": ["folder:"]}.get(field) or choices(FIELDS[field])
        assert set(values) <= set(allowed)


def test_the_defaults_are_a_config_that_parses():
    assert parse({}) == TrainConfig()
    assert parse(TrainConfig().model_dump(mode="json")) == TrainConfig()


@pytest.mark.parametrize("name", [n for n, i in FIELDS.items() if i.annotation in (int, float, float | None)])
def test_every_number_has_a_range(name):
    low, high = limits(FIELDS[name])
    assert low is not None and high is not None and low < high


@pytest.mark.parametrize("name", NUMERIC)
def test_a_number_outside_its_range_is_refused_with_value_range_and_fix(name):
    low, high = limits(FIELDS[name])
    for value in (low - 1, high + 1, math.nan, math.inf, -math.inf, "much", None if name != "dropout" else "much"):
        with pytest.raises(ConfigError) as caught:
            parse(with_its_condition(name, value))
        sentence = str(caught.value)
        assert sentence.startswith(f"{name} = ") and "is not allowed: give " in sentence
        assert f"{low:g}" in sentence and f"{high:.10g}" in sentence
        assert sentence.endswith(".") and ("such as" in sentence or "leave it out" in sentence)


@pytest.mark.parametrize("name", NUMERIC)
def test_a_number_at_the_ends_of_its_range_is_taken(name):
    rules = {type(rule).__name__ for rule in FIELDS[name].metadata}
    low, high = limits(FIELDS[name])
    for value, open_end in ((low, "Gt" in rules), (high, "Lt" in rules)):
        if not open_end:
            assert getattr(parse(with_its_condition(name, value)), name) == value
        else:
            with pytest.raises(ConfigError):
                parse(with_its_condition(name, value))


@pytest.mark.parametrize("name", CHOSEN)
def test_a_choice_takes_its_options_and_names_them_for_any_other(name):
    for option in choices(FIELDS[name]):
        assert getattr(parse({name: option}), name) == option
    with pytest.raises(ConfigError) as caught:
        parse({name: "nonsense"})
    assert str(caught.value) == (
        f"{name} = nonsense is not allowed: give one of {', '.join(choices(FIELDS[name]))}, "
        f"such as {FIELDS[name].default}."
    )


def test_a_whole_number_is_not_rounded():
    with pytest.raises(ConfigError, match=r"epochs = 2.5 is not allowed: give a whole number from 1 to 1000"):
        parse({"epochs": 2.5})


def test_an_unknown_field_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError) as caught:
        parse({"learning_rate": 1})
    assert str(caught.value) == f"Unknown setting 'learning_rate'. Available: {', '.join(FIELDS)}."
    with pytest.raises(ConfigError, match=r"compile\. Did you mean batch_size\?$"):
        parse({"batchsize": 1})
    with pytest.raises(ConfigError, match=r"Unknown setting 'size' in block 2. Available: channels, kernel"):
        parse({"model": "custom", "blocks": [{}, {"size": 3}]})


def test_a_config_cannot_be_changed():
    with pytest.raises(ValidationError):
        TrainConfig().lr = 1.0  # type: ignore[misc]
    with pytest.raises(ValidationError):
        TrainConfig().blocks[0].channels = 1  # type: ignore[misc]
    assert hash(TrainConfig()) == hash(TrainConfig())


def test_a_folder_has_one_name():
    assert TrainConfig(dataset="folder:/a/b//") == TrainConfig(dataset="folder:/a/b")
    assert TrainConfig(dataset="folder:/").dataset == "folder:/"


def test_each_problem_gets_its_sentence():
    with pytest.raises(ConfigError) as caught:
        parse({"epochs": 0, "batch_size": 0})
    assert str(caught.value).count("is not allowed") == 2


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            {"momentum": 0.9},
            "momentum = 0.9 has no effect with optimizer = adam: leave it out, or set optimizer to sgd.",
        ),
        ({"step_gamma": 0.5}, "step_gamma = 0.5 has no effect with schedule = constant: "),
        ({"image_size": 64}, "image_size = 64 has no effect with dataset = digits: "),
        ({"hidden": [8]}, "hidden = 8 has no effect with model = simple_cnn: "),
        ({"dropout": 0.5, "model": "custom", "hidden": []}, "dropout = 0.5 has no effect without hidden layers: "),
        ({"dropout": 0.5, "model": "lenet5"}, "dropout = 0.5 has no effect with model = lenet5: "),
        (
            {"optimizer": "sgd", "nesterov": True},
            "nesterov = true needs momentum above 0: set momentum to 0.9, say, or turn nesterov off.",
        ),
        ({"schedule": "cosine", "warmup_epochs": 5}, "warmup_epochs = 5 leaves nothing of the 5 epochs: "),
        ({"model": "custom", "hidden": [0]}, "hidden = 0 is not allowed: give sizes from 1 to 65536, such as 128,64."),
        ({"model": "custom", "hidden": ["x"]}, "hidden = x is not allowed: give up to 8 whole numbers from 1 to 65536"),
        ({"model": "custom", "hidden": [1] * 9}, "hidden = 1,1,1,1,1,1,1,1,1 is not allowed: give up to 8 whole"),
        ({"model": "custom", "blocks": 3}, "blocks = 3 is not allowed: give a JSON list of up to 32 blocks, such as"),
        (
            {"model": "custom", "blocks": [{"kernel": 99}]},
            "kernel of block 1 = 99 is not allowed: give a whole number from 1 to 11, such as 3.",
        ),
        (
            {"model": "custom", "blocks": [{"pool": "sum"}]},
            "pool of block 1 = sum is not allowed: give one of none, max, avg, such as max.",
        ),
        ({"augment_flip": "perhaps"}, "augment_flip = perhaps is not allowed: give true or false, such as false."),
        ({"dataset": 5}, "dataset = 5 is not allowed: give a name, such as digits."),
    ],
)
def test_what_does_not_fit_together_is_said_in_a_sentence(values, sentence):
    with pytest.raises(ConfigError) as caught:
        parse(values)
    assert str(caught.value).startswith(sentence)


def test_overriding_the_optimizer_gives_up_what_only_the_old_one_had():
    nesterov = parse({"optimizer": "sgd", "momentum": 0.9, "nesterov": True, "lr": 0.5})
    assert adapt(nesterov, {"optimizer": "adam"}) == TrainConfig(lr=0.5)
    assert adapt(nesterov, {"momentum": 0.0}) == parse({"optimizer": "sgd", "lr": 0.5})


def test_an_override_without_effect_is_refused():
    with pytest.raises(ConfigError, match=r"momentum = 0.5 has no effect with optimizer = adam"):
        adapt(recipes.get("cifar_cnn").config, {"optimizer": "adam", "momentum": 0.5})


def test_adapting_by_nothing_changes_nothing():
    for name in recipes.RECIPES:
        assert adapt(recipes.get(name).config, {}) == recipes.get(name).config


@pytest.mark.parametrize("name", recipes.RECIPES)
def test_the_differences_are_what_turns_one_config_into_the_other(name):
    config = recipes.get(name).config
    assert adapt(TrainConfig(), differences(config, TrainConfig())) == config
    assert differences(config, config) == {}


@given(name=st.sampled_from(sorted(FIELDS)), value=st.one_of(st.none(), st.text(), st.integers(), st.floats()))
def test_any_raw_value_becomes_a_config_or_a_sentence(name, value):
    try:
        assert isinstance(parse({name: value}), TrainConfig)
    except ConfigError as error:
        assert str(error)


@pytest.mark.parametrize("name", MODELS)
def test_dropout_applies_to_exactly_the_networks_that_contain_it(name):
    loose = TrainConfig.model_construct(**TrainConfig(model=name).model_dump() | {"dropout": 0.3, "hidden": (8,)})
    loose = loose.model_copy(update={"blocks": (ConvBlock(),)})
    found = [m.p for m in models.outline(loose, 1, 32, 10).modules() if isinstance(m, nn.Dropout)]
    assert applies("dropout", {"model": name}) == (0.3 in found)


@pytest.mark.parametrize("value", [0.1, 1e-05, 0.00123456789, 1 / 3, 123456.789, 5.0])
def test_a_shown_number_is_read_back_as_it_was(value):
    assert float(shown(value)) == value
