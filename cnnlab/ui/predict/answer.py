"""What the network says to a picture: the answer in words, the strip of steps, the bars, and what it looked at."""

from dataclasses import dataclass

import streamlit as st

from cnnlab.explain.attributions import methods_for
from cnnlab.figures.attribution import attribution_figure
from cnnlab.prediction.look import look
from cnnlab.prediction.predictor import Answer
from cnnlab.prediction.preprocess import LAYOUTS, Prepared, prepare
from cnnlab.prediction.temperature import Calibration
from cnnlab.ui import words
from cnnlab.ui.plot import plot
from cnnlab.ui.predict.bars import bars, panel
from cnnlab.ui.predict.choice import Subject
from cnnlab.ui.predict.given import Given
from cnnlab.ui.predict.strip import strip, switched

TOP = 5  # classes shown
FIRST = {"Draw": "Draw, and lift the pen", "Camera": "Take a photo", "Test images": "Choose a test image"}
MAP = 190  # pixels of the map beside the bars


@dataclass(frozen=True)
class Asked:
    """What ``subject`` was asked: the picture as ``given`` and as ``prepared`` for it, and its ``answer``."""

    subject: Subject
    given: Given
    prepared: Prepared
    answer: Answer

    @property
    def id(self) -> str:
        """The same for the same picture, prepared alike for the same network."""
        return f"{self.given.id}.{self.subject.id}.{self.prepared.on}"


def nothing_yet(way: str) -> None:
    """What stands where the answer will be, for each ``way`` in."""
    with st.container(border=True, key="predict-empty"):
        st.markdown(f"#### {FIRST[way]}")
        st.markdown(
            "The network answers at once. Here you will see what it sees, what it takes it for and how sure it is, and "
            f"which {'strokes' if way == 'Draw' else 'parts of the picture'} made it say so."
        )


def answer_view(subject: Subject, given: Given) -> Asked | None:
    """All of it, the fastest first; gives what was asked, or None where there is nothing to see."""
    prepared = prepare(given.picture, subject.predictor.checkpoint, switched())
    if prepared.blank:
        with st.container(key="predict-answer", gap=None):
            st.markdown("# Nothing to see\nAll pixels that go in are alike: draw or choose something else.")
        strip(prepared)
        return None
    answer = subject.predictor.answer_prepared(prepared)
    headline(answer, subject.threshold, given, _strangeness(subject, prepared))
    strip(prepared)
    left, right = st.columns([1.75, 1], gap="medium")
    with left:
        bars([panel("", answer, TOP)], "predict.bars", given.id)
        st.caption(legend(subject.predictor.calibration))
    others(subject, given)
    with right:
        _looked_at(subject, prepared, answer)
    return Asked(subject, given, prepared, answer)


def legend(calibration: Calibration) -> str:
    """What the bars and the lines in them mean."""
    if not calibration.images:
        return "Not calibrated: bar and line are the network's own."
    if calibration.temperature == 1:
        return "Bar and line are the network's own: validation images show no need to correct it."
    return "Bar: how sure, calibrated. Line in it: what the network itself says."


def headline(answer: Answer, threshold: float, given: Given, strange: str = "") -> None:
    """The answer in words, or that it is not known."""
    name = words.plain(answer.class_names[answer.label])
    sure = words.sure(answer.confidence).replace(">", "over ").replace("<", "below ")  # > begins a quotation
    if answer.confidence < threshold:
        said = f"# I don't know\nPerhaps **{name}**, but only {sure} sure; you asked for {100 * threshold:.0f} %."
    else:
        said = f"# {name} :gray[:small[{sure} sure]]"
    if given.truth is not None:
        right = given.truth == answer.class_names[answer.label]
        said += f"\n\n{':green[✓ right]' if right else f':red[✗ wrong], it is **{words.plain(given.truth)}**'}"
    with st.container(key="predict-answer", gap=None):
        st.markdown(said + strange)


def _strangeness(subject: Subject, prepared: Prepared) -> str:
    """A warning where the picture is unlike anything in training, else nothing."""
    predictor, novelty = subject.predictor, subject.novelty
    if novelty is None:
        return ""
    seen = look(predictor, prepared.pixels[None], prepared.scaling)
    if not novelty.unlike_all(seen)[0]:
        return ""
    many = farther_than(novelty.shares_as_far(seen)[0])
    whose = "validation images" if novelty.held_out else "other training images"
    return (
        "\n\n:orange[:material/warning: **Unlike anything in training**]: to this network it lies farther from the "
        f"training images than {many} of the {whose}. Do not rely on the answer."
    )


def farther_than(as_far: float) -> str:
    """How many images lie nearer, where a share ``as_far`` of them does not; what is not all is never 100.0 %."""
    return f"{min(100 * (1 - as_far), 99.9):.1f} %" if as_far else "any"


def others(subject: Subject, given: Given) -> None:
    """The answers of the other runs, side by side."""
    if subject.others:
        panels = [
            panel(predictor.run.name, predictor.answer(given.picture, switched()), 3) for predictor in subject.others
        ]
        bars(panels, "predict.bars.others", given.id)


def _looked_at(subject: Subject, prepared: Prepared, answer: Answer) -> None:
    """What spoke for the answer: the strokes of a drawing, or the place in a photograph."""
    predictor = subject.predictor
    methods = methods_for(predictor.network)
    strokes = predictor.checkpoint.config.dataset in LAYOUTS
    method = methods["integrated_gradients" if strokes or "grad_cam" not in methods else "grad_cam"]
    found = method.explain(predictor.network, prepared.pixels, prepared.scaling, answer.label)
    figure = attribution_figure(prepared.pixels.numpy(), found, 0.8, method.signed, MAP)
    alt = f"Where the picture speaks for {answer.class_names[answer.label]}: {method.title}."
    plot(figure, "", "predict.looked", alt=alt)
    against = ", blue against" if method.signed else ""
    st.caption(f"Orange speaks for **{words.plain(answer.class_names[answer.label])}**{against}.")
