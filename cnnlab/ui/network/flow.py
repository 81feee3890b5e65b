"""Flow: an image on its way through the network, untrained or trained or both; a chosen pixel gives its account."""

import streamlit as st

from cnnlab.explain.activations import IMAGE, strongest_channels
from cnnlab.explain.drawing import size_text
from cnnlab.explain.footprint import SMALLER
from cnnlab.explain.step import MOST_PARAMETERS
from cnnlab.figures.strips import strip_png
from cnnlab.loader import Scaling, scaling_of
from cnnlab.ui import cache
from cnnlab.ui.address import asked, expect_one_of, expect_truth, refuse, write
from cnnlab.ui.network.account import account
from cnnlab.ui.network.choice import Subject
from cnnlab.ui.network.flow_image import flow_image
from cnnlab.ui.network.images import lab_images
from cnnlab.ui.network.maps import Place, Row, feature_maps
from cnnlab.ui.network.way import SIDES, Way, way_through

CHOSEN, OF, SIDE = "flow.chosen", "flow.of", "flow.side"
LIST = 780  # pixels: it ends inside of a strip, so that there are seen to be more
COUNTS = (8, 16, 32, 64, 256)  # channels


def flow_view(subject: Subject) -> None:
    """The image and the chosen value's account on the right, all layers' strips on the left."""
    size = cache.parameter_count(subject.config, subject.shape)
    if size > MOST_PARAMETERS:
        st.info(
            f"{subject.title} has {size:,} parameters for these images, {4 * size / 1e9:.1f} GB, too many to build "
            f"just for a look: choose a network of at most {MOST_PARAMETERS:,} in the sidebar, such as {SMALLER}. Its "
            "Anatomy and its Code are there all the same.",
            icon=":material/inventory_2:",
        )
        return
    left, right = st.columns([5, 4], gap="medium")
    with right:
        dataset = lab_images(subject.config) if subject.trainable else None
        scaling = scaling_of(subject.config, dataset) if dataset is not None else _halved(subject)
        pixels = flow_image(subject, dataset, scaling)
        if pixels is None:
            left.info("Draw something or choose a picture: it then flows through the network.", icon=":material/draw:")
            return
        sides = _sides(subject)
    ways = [way_through(side, subject, pixels, scaling) for side in sides]
    chosen = _chosen(subject, ways)
    with left:
        _strips(subject, ways, chosen)
    with right:
        way = _opened(ways)
        account(subject, way, pixels, chosen, dataset.class_names if dataset else ())


def _halved(subject: Subject) -> Scaling:
    channels = subject.shape[0]
    return Scaling((0.5,) * channels, (0.5,) * channels)


def _sides(subject: Subject) -> tuple[str, ...]:
    if subject.run is None:
        st.caption("These weights are the untrained first ones; choose a trained run in the sidebar to compare.")
        return SIDES[:1]
    both = {"Trained": SIDES[1:], "Untrained": SIDES[:1], "Both": SIDES}
    expect_one_of("flow.weights", both)
    shown = st.segmented_control(
        "Weights", list(both), default="Both", required=True, key="flow.weights", persist_state="session",
        bind="query-params",
    )  # fmt: skip
    return both[shown]


def _chosen(subject: Subject, ways: list[Way]) -> Place:
    """Layer, channel, row and column: by default the middle of the first layer's strongest channel."""
    output = ways[0].layers[0].output[0]
    side = output.shape[-1] // 2 if output.dim() == 3 else 0
    first = (0, strongest_channels(output)[0], side, side)
    place = asked(CHOSEN, _place, first)
    if not _lies_in(ways[0], place) and CHOSEN in st.query_params and OF not in st.session_state:
        refuse(CHOSEN)
    if not _lies_in(ways[0], place) or st.session_state.setdefault(OF, subject.id) != subject.id:
        place = first
    st.session_state[CHOSEN], st.session_state[OF] = place, subject.id
    write(CHOSEN, ",".join(map(str, place)) if place != first else None)
    return place


def _place(text: str) -> Place:
    layer, channel, row, column = map(int, text.split(","))
    return layer, channel, row, column


def _lies_in(way: Way, place: Place) -> bool:
    index, *within = place
    if not IMAGE <= index < len(way.layers):
        return False
    return all(0 <= at < size for at, size in zip(within, way.output(index).shape, strict=True))


def _opened(ways: list[Way]) -> Way:
    """Whose value the account is of: the trained network's, unless the other's strip was clicked."""
    side = asked(SIDE, _side, SIDES[-1])
    way = next((w for w in ways if w.side == side), ways[-1])
    write(SIDE, way.side if way is not ways[-1] else None)
    return way


def _side(text: str) -> str:
    if text not in SIDES:
        raise ValueError(text)
    return text


def _pick(place: Place, side: str) -> None:
    st.session_state[CHOSEN] = place
    if side:
        st.session_state[SIDE] = side


def _strips(subject: Subject, ways: list[Way], chosen: Place) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        expect_one_of("flow.most", [str(count) for count in COUNTS])
        most = st.select_slider(
            "Channels of each layer", COUNTS, 16, key="flow.most", width=210, persist_state="session",
            bind="query-params",
        )  # fmt: skip
        expect_truth("flow.strongest")
        strongest = st.toggle(
            "Strongest first", True, key="flow.strongest", persist_state="session", bind="query-params"
        )
    st.caption(
        "Dark is 0, orange above, blue below; one scale for each strip. Click a pixel, or go to it "
        "with the arrow keys, to see how it came about."
    )
    rows = []
    for index in range(IMAGE, len(ways[-1].layers)):
        output = ways[-1].output(index)
        ordered = strongest and index != IMAGE
        order = (strongest_channels(output) if ordered else list(range(len(output))))[:most]
        rows += [_row(way, index, order, chosen, len(ways) > 1) for way in (ways if index != IMAGE else ways[-1:])]
    with st.container(height=LIST, border=False):
        feature_maps(rows, chosen, f"flow.maps.{subject.id}", _pick)


def _row(way: Way, index: int, order: list[int], chosen: Place, named: bool) -> Row:
    """The strip of a layer's channels ``order``, or of the image's; ``named`` with whose weights."""
    output = way.output(index)
    shape = tuple(way.inputs[0].shape) if index == IMAGE else tuple(way.layers[index].output.shape[1:])
    of = f"of {len(output):,}" if len(order) < len(output) else ""
    note = f"{size_text(shape)} {f'· {len(order)} {of} shown' if of else ''}"
    title = "Image, as scaled" if index == IMAGE else f"{index + 1}. {way.layers[index].kind}"
    side = way.side if named and index != IMAGE else ""
    value = f"{float(output[chosen[1:]]):.4f}" if chosen[0] == index else ""
    return Row(index, title, note, side, order, strip_png(output[order].numpy()), value)
