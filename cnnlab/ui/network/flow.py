"""Flow: an image on its way through the network, untrained or trained or both; a clicked pixel gives its account."""

from dataclasses import dataclass

import streamlit as st
import torch
from torch import Tensor, nn

from cnnlab import models
from cnnlab.config import TrainConfig
from cnnlab.evaluation.evaluate import checkpoint_time
from cnnlab.explain.activations import Layer, activations, strongest_channels
from cnnlab.explain.drawing import size_text
from cnnlab.figures.strips import strip_png
from cnnlab.loader import Scaling, scaling_of
from cnnlab.ui import cache
from cnnlab.ui.network.account import account
from cnnlab.ui.network.choice import Subject
from cnnlab.ui.network.flow_image import flow_image
from cnnlab.ui.network.images import lab_images
from cnnlab.ui.network.maps import Place, Row, feature_maps

MOST_PARAMETERS = 20_000_000  # a network of more is not built just to look at it
CHOSEN, SIDE = "flow.chosen", "flow.side"
SIDES = ("Untrained", "Trained")


@dataclass(frozen=True)
class Passed:
    """An image's way through one network: ``inputs`` float32 [1, C, H, W] and all layers' outputs."""

    side: str
    inputs: Tensor
    layers: list[Layer]


@st.cache_resource(max_entries=4, show_spinner="Building the network …")
def _untrained(settings: str, shape: cache.Shape) -> nn.Module:
    config = TrainConfig.model_validate_json(settings)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        return models.build(config, *shape).eval()


def flow_view(subject: Subject) -> None:
    """The image and the chosen value's account on the right, all layers' strips on the left."""
    size = cache.parameter_count(subject.config, subject.shape)
    if size > MOST_PARAMETERS:
        st.info(
            f"{subject.title} has {size:,} parameters for these images, too many to build just for a look: choose a "
            f"network of at most {MOST_PARAMETERS:,}.",
            icon=":material/inventory_2:",
        )
        return
    left, right = st.columns([5, 4], gap="medium")
    with right:
        dataset = lab_images(subject.config) if subject.trainable else None
        scaling = scaling_of(subject.config, dataset) if dataset is not None else _halved(subject)
        pixels = flow_image(subject, dataset, scaling)
        if pixels is None:
            st.info("Draw something or choose a picture: it then flows through the network.", icon=":material/draw:")
            return
        sides = _sides(subject)
    ways = [_pass(side, subject, pixels, scaling) for side in sides]
    chosen = _chosen(subject, ways)
    with left:
        _strips(subject, ways, chosen)
    with right:
        way = next((w for w in ways if w.side == st.session_state.get(SIDE)), ways[-1])
        account(subject, way.layers, way.inputs, pixels, chosen, dataset.class_names if dataset else ())


def _halved(subject: Subject) -> Scaling:
    channels = subject.shape[0]
    return Scaling((0.5,) * channels, (0.5,) * channels)


def _sides(subject: Subject) -> tuple[str, ...]:
    if subject.run is None:
        st.caption("These weights are the untrained first ones; choose a trained run in the sidebar to compare.")
        return SIDES[:1]
    both = {"Trained": SIDES[1:], "Untrained": SIDES[:1], "Both": SIDES}
    shown = st.segmented_control(
        "Weights", list(both), default="Both", required=True, key="flow.weights", persist_state="session"
    )
    return both[shown]


def _pass(side: str, subject: Subject, pixels: Tensor, scaling: Scaling) -> Passed:
    if side == "Trained" and subject.run is not None:
        changed = checkpoint_time(subject.run, subject.checkpoint)
        known = cache.predictor(subject.run.path, subject.checkpoint, changed)
        network, scaling = known.network, known.checkpoint.scaling
    else:
        network = _untrained(subject.config.model_dump_json(), subject.shape)
    inputs = scaling(pixels)
    return Passed(side, inputs, activations(network, inputs))


def _chosen(subject: Subject, ways: list[Passed]) -> Place:
    """Layer, channel, row and column: by default the middle of the first layer's strongest channel."""
    layers = ways[0].layers
    place: Place | None = st.session_state.get(CHOSEN)
    if place is None or st.session_state.get("flow.of") != subject.id or place[0] >= len(layers):
        output = layers[0].output[0]
        side = output.shape[-1] // 2 if output.dim() == 3 else 0
        place = (0, strongest_channels(output)[0], side, side)
        st.session_state[CHOSEN], st.session_state["flow.of"] = place, subject.id
    return place


def _pick(place: Place, side: str) -> None:
    st.session_state[CHOSEN] = place
    if side:
        st.session_state[SIDE] = side


def _strips(subject: Subject, ways: list[Passed], chosen: Place) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        most = st.select_slider(
            "Channels of each layer", (8, 16, 32, 64, 256), 16, key="flow.most", width=210, persist_state="session"
        )
        strongest = st.toggle("Strongest first", True, key="flow.strongest", persist_state="session")
    st.caption("Dark is 0, orange above, blue below; one scale for each strip. Click a pixel to see how it came about.")
    rows = []
    for index, layer in enumerate(ways[-1].layers):
        output = layer.output[0]
        order = strongest_channels(output)[:most] if strongest else list(range(len(output)))[:most]
        for way in ways:
            maps = way.layers[index].output[0][order]
            maps = maps if maps.dim() == 3 else maps[:, None, None]
            of = f"of {len(output):,}" if len(order) < len(output) else ""
            note = f"{size_text(tuple(output.shape))} {f'· {len(order)} {of} shown' if of else ''}"
            side = way.side if len(ways) > 1 else ""
            rows.append(Row(index, f"{index + 1}. {layer.kind}", note, side, order, strip_png(maps.numpy())))
    with st.container(height=720, border=False):
        feature_maps(rows, chosen, f"flow.maps.{subject.id}", _pick)
