"""Who answers on the Predict page: a run and its checkpoint, others beside it, and how sure an answer must be."""

from dataclasses import dataclass, replace

import streamlit as st

from cnnlab.prediction.novelty import FEW, Novelty
from cnnlab.prediction.predictor import Predictor
from cnnlab.runs import LIVE, Run, names_of
from cnnlab.ui import cache, words
from cnnlab.ui.predict.first_run import offer_training
from cnnlab.ui.select import CHECKPOINTS, ERRORS, select, select_run, trained_runs

MOST_OTHERS = 3  # runs beside the chosen one: more do not fit side by side


@dataclass(frozen=True)
class Subject:
    """The chosen network, ``others`` beside it, and the confidence in [0, 1] below which it does not know;
    ``novelty`` tells what is unlike its training images, where these are here."""

    predictor: Predictor
    others: tuple[Predictor, ...]
    threshold: float
    novelty: Novelty | None

    @property
    def id(self) -> str:
        """Tells this network from any other: for the keys of what depends on it."""
        return f"{self.predictor.run.id}.{self.predictor.name}"

    @property
    def color(self) -> bool:
        """Whether the network takes colours."""
        return self.predictor.checkpoint.in_channels == 3


def choose() -> Subject | None:
    """The sidebar's choice, ready to answer; else a sentence, or the offer to train a first network, and None."""
    runs = trained_runs()
    if not runs:
        offer_training()
        return None
    names = names_of(runs.values())
    with st.sidebar:
        run = select_run(runs, "predict.run")
        checkpoint = select("Checkpoint", run.checkpoints(), "predict.checkpoint", CHECKPOINTS)
        others = _others([i for i in runs if i != run.id], names)
        threshold = _threshold()
        slot = st.container()
    try:
        predictor = _predictor(run, checkpoint)
        novelty = cache.novelty(run.path, checkpoint, run.checkpoint_time(checkpoint))
    except ERRORS as error:
        st.error(words.plain(str(error)), icon=":material/error:")
        return None
    with slot:
        _about(predictor, novelty)
        return Subject(predictor, tuple(filter(None, (_other(runs[i]) for i in others))), threshold, novelty)


def _others(options: list[str], names: dict[str, str]) -> list[str]:
    key = "predict.others"
    if set(st.session_state.get(key, [])) - set(options):
        st.session_state[key] = [i for i in st.session_state[key] if i in options]
    return st.multiselect(
        "Compare with",
        options,
        key=key,
        format_func=lambda i: names.get(i, i),
        max_selections=MOST_OTHERS,
        placeholder="Other runs" if options else "There is no other run",
        disabled=not options,
        persist_state="session",
        help="They answer to the same picture, each prepared as its own network needs it.",
    )


def _threshold() -> float:
    percent = st.slider(
        "Minimum confidence to answer",
        0,
        95,
        50,
        5,
        format="%d %%",
        key="predict.threshold",
        persist_state="session",
        help="Below, the answer is “I don't know”. It is the calibrated confidence that counts.",
    )
    return percent / 100


def _predictor(run: Run, checkpoint: str) -> Predictor:
    changed = run.checkpoint_time(checkpoint)
    predictor = cache.predictor(run.path, checkpoint, changed)
    return replace(predictor, calibration=cache.calibration(run.path, checkpoint, changed))


def _other(run: Run) -> Predictor | None:
    try:
        return _predictor(run, run.chosen_checkpoint() or "best")
    except ERRORS as error:
        st.caption(f":material/warning: {words.plain(str(error))}")
        return None


def _about(predictor: Predictor, novelty: Novelty | None) -> None:
    config, found = predictor.checkpoint.config, predictor.calibration
    size = predictor.checkpoint.image_size
    st.caption(f"{words.task(config)}, {size}×{size}")
    if found.images:
        before, after = (f"{100 * (error or 0.0):.1f} %" for error in (found.error_before, found.error_after))
        images = f"{found.images:,} validation images"
        if found.temperature == 1:
            st.caption(f"Its confidence is the network's own: {images} do not show it to be off (error {before}).")
        else:
            st.caption(
                f"Its confidence is calibrated on {images} (temperature {found.temperature:.2f}): its error on them "
                f"goes from {before} to {after}."
            )
    else:
        st.caption(f":material/warning: Its confidence is not calibrated. {words.plain(found.why)}")
    if novelty is None:
        st.caption(
            ":material/warning: Whether a picture is unlike its training images cannot be told: they are too few, not "
            "on this machine, or others than those it has learnt from."
        )
    elif novelty.of_few:
        st.caption(f":material/warning: {FEW}")
    if predictor.run.state() in LIVE:
        st.caption("This run is still training: its weights are those that were last saved.")
        st.button("Look again", icon=":material/refresh:", key="predict.refresh", width="stretch")
