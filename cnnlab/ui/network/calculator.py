"""Calculator and quiz: the formulas for free numbers, and questions about the chosen network."""

import random

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cnnlab.explain import formulas
from cnnlab.explain.quiz import Question, questions
from cnnlab.explain.receptive import Field
from cnnlab.ui import cache, words
from cnnlab.ui.address import asked, expect_number, write
from cnnlab.ui.by_number import DIGITS
from cnnlab.ui.network.choice import Subject
from cnnlab.ui.network.formula_table import formula_table

ROUND = 5  # questions
QUIZ_ROUND, START = "quiz.round", "calculator.start"
FREE = "Free"
STARTS = {
    FREE: (32, 5, 0, 1, 3, 6),
    "7 wide, kernel 3, stride 1 → 5": (7, 3, 0, 1, 1, 1),
    "7 wide, kernel 3, stride 2 → 3": (7, 3, 0, 2, 1, 1),
    "32 wide, kernel 5, padding 2 → 32": (32, 5, 2, 1, 3, 10),
    "32×32×3, six kernels 5×5 → 28×28×6": (32, 5, 0, 1, 3, 6),
    "28×28×6, ten kernels 5×5 → 24×24×10": (28, 5, 0, 1, 6, 10),
}
"""Name -> width, kernel, padding, stride, input channels, kernels."""
FIELDS = ("width", "kernel", "padding", "stride", "channels", "kernels")
LABELS = ("Width W", "Kernel F", "Padding P", "Stride S", "Input channels C", "Kernels K")
LIMITS = ((1, 4096), (1, 512), (0, 256), (1, 64), (1, 4096), (1, 4096))


def calculator_view(subject: Subject | None) -> None:
    """Both, the calculator above; without a network there is nothing to ask about."""
    st.subheader("Calculator", anchor=False)
    _calculator()
    st.subheader("How far does a stack see?", anchor=False)
    _stack()
    if subject:
        st.subheader(f"Quiz: {subject.title}", anchor=False)
        _quiz(subject)


def _calculator() -> None:
    begun = st.container()
    with st.grid(6, min_column_width=130):
        values = [_number(*field) for field in zip(FIELDS, LABELS, LIMITS, STARTS[FREE], strict=True)]
    _begin_with(begun, tuple(values))
    width, kernel, padding, stride, channels, kernels = values
    size = formulas.output_size(width, kernel, padding, stride)
    if kernel > width + 2 * padding:
        st.error(
            f"A kernel of {kernel} does not fit into {width} + 2·{padding} = {width + 2 * padding} pixels: "
            f"use a kernel of at most {width + 2 * padding}, or a padding of at least {-((width - kernel) // 2)}.",
            icon=":material/broken_image:",
        )
        return
    weights = formulas.conv_parameters(kernels, (kernel, kernel), channels)
    work = formulas.conv_multiply_adds(size.value, size.value, kernels, (kernel, kernel), channels)
    formula_table([size, weights, work])
    st.caption(
        f"{width}×{width}×{channels} → {size.value}×{size.value}×{kernels}. "
        f"Each kernel is {kernel}×{kernel}×{channels}: as deep as its input. "
        "Its products over all input channels are summed into one number, and each kernel gives one channel "
        "of the output."
    )


def _number(name: str, label: str, limits: tuple[int, int], value: int) -> int:
    key = f"calculator.{name}"
    expect_number(key, *limits)
    return int(st.number_input(label, *limits, value, key=key, persist_state="session", bind="query-params"))


def _begin_with(place: DeltaGenerator, values: tuple[int, ...]) -> None:
    """The presets, at the one whose numbers are ``values``: a link or the browser's Back may have brought them."""
    if STARTS[st.session_state.get(START, FREE)] != values:
        st.session_state[START] = next((name for name, start in STARTS.items() if start == values), FREE)
    place.selectbox("Begin with", list(STARTS), key=START, on_change=_started, persist_state="session")


def _started() -> None:
    for name, value in zip(FIELDS, STARTS[st.session_state[START]], strict=True):
        st.session_state[f"calculator.{name}"] = value


def _stack() -> None:
    text = st.text_input(
        "Layers, each as kernel/stride",
        "5/1, 2/2, 5/1, 2/2",
        key="calculator.stack",
        persist_state="session",
        bind="query-params",
        help="From the image on; 2/2 is a pooling of 2. Without a stride, 1 is meant.",
    )
    field, lines = Field(), []
    for part in filter(None, (p.strip() for p in text.split(","))):
        kernel, _, stride = map(str.strip, part.partition("/"))
        if not _is_layer(kernel, stride or "1"):
            st.error(
                f"'{words.plain(part)}' is no layer: write kernel/stride, such as 5/1 or 2/2.", icon=":material/error:"
            )
            return
        lines.append(formulas.receptive_field(field.size, int(kernel), field.stride))
        field = field.through(int(kernel), int(stride or 1), 0)
    if lines:
        steps = " → ".join(str(f.value) for f in lines)
        st.markdown(f"One value sees {steps} pixels in a row, layer by layer. The last: r + (F − 1)·j = {lines[-1]}.")


def _is_layer(kernel: str, stride: str) -> bool:
    readable = all(text.isdecimal() and len(text) <= DIGITS for text in (kernel, stride))
    return readable and 0 < int(kernel) < 1000 and 0 < int(stride) < 100


# ── the quiz ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _quiz(subject: Subject) -> None:
    seed = asked(QUIZ_ROUND, _counted, 0)
    write(QUIZ_ROUND, str(seed) if seed else None)
    found = questions(cache.parts(subject.config, subject.shape))
    st.caption("Predict first, then look: each answer comes with its arithmetic.")
    for number, question in enumerate(_round(found, seed)):
        _question(question, f"quiz.{subject.id}.{seed}.{number}")
    if len(found) > ROUND:
        st.button("Other questions", icon=":material/shuffle:", key="quiz.shuffle", on_click=_shuffle)


def _counted(text: str) -> int:
    if not text.isdecimal():
        raise ValueError(text)
    return int(text)


def _round(found: list[Question], seed: int) -> list[Question]:
    chosen = random.Random(seed).sample(range(len(found)), min(ROUND, len(found)))
    return [found[i] for i in sorted(chosen)]


def _question(question: Question, key: str) -> None:
    with st.container(border=True):
        st.markdown(question.text)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            answer = st.number_input("Your answer", 0, value=None, step=1, key=key, width=180, placeholder="predict",
                                     persist_state="session")  # fmt: skip
            if st.button("Show me", key=f"{key}.reveal", disabled=answer is not None):
                st.session_state[f"{key}.shown"] = True
        if answer is None and not st.session_state.get(f"{key}.shown"):
            return
        formula = question.formula
        worked = f"{formula.symbols}: {formula} {formula.unit}"
        if answer is None:
            st.info(worked, icon=":material/visibility:")
        elif answer == formula.value:
            st.success(f"Right. {worked}", icon=":material/check_circle:")
        else:
            st.warning(f"Not {answer:,}. {question.hint(answer)} {worked}", icon=":material/cancel:")


def _shuffle() -> None:
    st.session_state[QUIZ_ROUND] += 1
