"""What the Network page is about: a network of the registry, of a recipe, of a run, or built from blocks."""

from dataclasses import dataclass

import streamlit as st

from cnnlab import recipes
from cnnlab.checkpoints import CheckpointError, read_checkpoint
from cnnlab.config import TrainConfig
from cnnlab.datasets import DATASETS
from cnnlab.models import MODELS, ModelError, Shape
from cnnlab.parsing import ConfigError, adapt
from cnnlab.runs import Run, RunError
from cnnlab.ui import cache, words
from cnnlab.ui.address import expect_one_of
from cnnlab.ui.navigation import PAGES
from cnnlab.ui.network.build import built_config
from cnnlab.ui.select import CHECKPOINTS, select, select_run, trained_runs
from cnnlab.ui.train.settings import fill_form
from cnnlab.ui.train.settings_address import settings_address
from cnnlab.ui.train.views import show_view, view_address

SOURCES = {
    "model": "A network of the lab",
    "recipe": "A recipe's network",
    "run": "A trained run's network",
    "build": "My own, from blocks",
}
FIRST_MODEL = "cnn_5x5"
IMAGENET = "imagenet"
IMAGENET_SHAPE = (3, 224, 1000)
STAND_IN = "cifar10"  # in settings, for ImageNet is no dataset here: photographs in colour too, so prepared likewise


@dataclass(frozen=True)
class Subject:
    """The network that the page shows.

    Attributes:
        config: settings that make it, and train it.
        shape: (in_channels, image_size, num_classes).
        recipe: what its settings began with.
        run: the run that trained it, where one did; its network is then the ``checkpoint``.
        trainable: whether there are images of this shape to train on.
    """

    config: TrainConfig
    shape: Shape
    recipe: str | None
    run: Run | None = None
    checkpoint: str = ""
    trainable: bool = True

    @property
    def image(self) -> tuple[int, int, int]:
        """The shape (C, H, W) of one image."""
        return self.shape[0], self.shape[1], self.shape[1]

    @property
    def id(self) -> str:
        """Tells this network from any other: for the keys of widgets that depend on it."""
        made_of = self.config.model_dump_json(include={"model", "dropout", "blocks", "hidden", "dataset"})
        return f"{hash((made_of, self.shape, self.run and self.run.id, self.checkpoint)):x}"

    @property
    def title(self) -> str:
        """The network's name for people."""
        return MODELS.get(self.config.model).title


def choose() -> Subject | None:
    """The sidebar's choice; a sentence on the page and None where there is no such network."""
    source = _pick("Show", list(SOURCES), "network.source", "model", SOURCES)
    try:
        subject = {"model": _model, "recipe": _recipe, "run": _run, "build": _build}[source]()
        if subject:
            cache.parts(subject.config, subject.shape)  # raises where it cannot be
            _train_button(subject)
        return subject
    except (ModelError, ConfigError, CheckpointError, RunError) as error:
        st.error(words.plain(str(error)), icon=":material/error:")
        return None


def _pick(label: str, options: list[str], key: str, first: str, names: dict[str, str]) -> str:
    expect_one_of(key, [names.get(option, option) for option in options])
    with st.sidebar:
        return select(label, options, key, names, first)


def _images(first: str = "digits") -> tuple[str, Shape]:
    """The images that the network is for: their dataset and shape."""
    names = {name: DATASETS.get(name).title for name in DATASETS} | {IMAGENET: "ImageNet's 224×224×3, 1,000 classes"}
    chosen = _pick("For images of", list(names), "network.images", first, names)
    if chosen == IMAGENET:
        return chosen, IMAGENET_SHAPE
    return chosen, DATASETS.get(chosen).shape


def _trained_on(images: str) -> str:
    return STAND_IN if images == IMAGENET else images


def _model() -> Subject:
    names = {name: MODELS.get(name).title for name in MODELS if name != "custom"}
    model = _pick("Network", list(names), "network.model", FIRST_MODEL, names)
    st.sidebar.caption(MODELS.get(model).summary)
    dataset, shape = _images()
    config = adapt(recipes.get(recipes.FIRST_RECIPE).config, {"model": model, "dataset": _trained_on(dataset)})
    return Subject(config, shape, recipes.FIRST_RECIPE, trainable=dataset != IMAGENET)


def _recipe() -> Subject:
    names = {name: recipes.get(name).title for name in recipes.RECIPES}
    recipe = recipes.get(_pick("Recipe", list(names), "network.recipe", recipes.FIRST_RECIPE, names))
    st.sidebar.caption(recipe.summary)
    return Subject(recipe.config, DATASETS.get(recipe.config.dataset).shape, recipe.name)


def _run() -> Subject | None:
    runs = trained_runs()
    if not runs:
        st.info("No network has been trained yet: train one first.", icon=":material/model_training:")
        st.page_link(PAGES / "train.py", label="Go to Train", icon=":material/arrow_forward:")
        return None
    with st.sidebar:
        run = select_run(runs, "network.run")
    names = run.checkpoints()
    checkpoint = _pick("Checkpoint", names, "network.checkpoint", names[0], CHECKPOINTS)
    saved = read_checkpoint(run.checkpoint_path(checkpoint))
    st.sidebar.caption(words.task(saved.config))
    return Subject(saved.config, saved.shape, run.recipe, run, checkpoint)


def _build() -> Subject | None:
    dataset, shape = _images()
    config = built_config(_trained_on(dataset), shape)
    return Subject(config, shape, recipes.FIRST_RECIPE, trainable=dataset != IMAGENET) if config else None


def _train_button(subject: Subject) -> None:
    pressed = st.sidebar.button(
        "Train this network",
        icon=":material/model_training:",
        type="primary",
        key="network.train",
        width="stretch",
        disabled=not subject.trainable,
        help="Opens the Train page with this network and its settings filled in."
        if subject.trainable
        else "ImageNet is not among the datasets: choose other images to train on.",
    )
    if pressed:
        fill_form(subject.config, subject.recipe)
        show_view("New run")
        st.switch_page(PAGES / "train.py", query_params={**settings_address(), **view_address()})
