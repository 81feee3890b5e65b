"""The stages of a training step: what each shows, and its lines of PyTorch."""

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import streamlit as st

from cnnlab.config import TrainConfig
from cnnlab.datasets import ImageDataset
from cnnlab.explain.numbers import shown
from cnnlab.explain.softmax import loss_line, smoothed_line, softmax_line
from cnnlab.explain.step import Step
from cnnlab.explain.update import constants, update_lines
from cnnlab.figures.channels import strip_figure
from cnnlab.figures.gallery import GAP, gallery_figure
from cnnlab.figures.gradients import norms_figure
from cnnlab.figures.style import shortened
from cnnlab.loader import augments
from cnnlab.ui import cache, words
from cnnlab.ui.address import expect_number, expect_one_of
from cnnlab.ui.plot import plot

CELL, COLUMNS, MOST_IMAGES = 64, 8, 32


def batch_stage(step: Step, config: TrainConfig, dataset: ImageDataset) -> None:
    """The images and their labels."""
    count = min(len(step.labels), MOST_IMAGES)
    scaled = f"{float(step.inputs.min()):.2f} … {float(step.inputs.max()):.2f}".replace("-", "−")
    st.markdown(
        f"{len(step.labels)} training images, drawn by shuffling, with their labels: a tensor of "
        f"`{tuple(step.inputs.shape)}`. Their values 0 … 255 were scaled to {scaled}."
        + (" Before that each was changed by chance, as the settings' augmentation says: this is what the network saw."
           if augments(config) else "")
        + (f" The first {count} are shown." if count < len(step.labels) else "")
    )  # fmt: skip
    captions = [shortened(dataset.class_names[label], 9) for label in step.labels[:count].tolist()]
    figure = gallery_figure(step.pixels[:count].numpy(), captions, COLUMNS, CELL)
    plot(figure, "", "step.batch", width=COLUMNS * (CELL + GAP), alt=f"Labels: {', '.join(captions)}.")


def logits_stage(step: Step, config: TrainConfig, dataset: ImageDataset) -> None:
    """One row of numbers an image."""
    st.markdown("The network answers each image with one number a class, the logits. They may be anything.")
    _table(step.logits.numpy(), step, dataset)


def softmax_stage(step: Step, config: TrainConfig, dataset: ImageDataset) -> None:
    """Probabilities, one written out."""
    st.markdown(
        "Softmax makes them probabilities: e to the power of each, divided by the sum, so that a row adds to 1. The "
        "largest logit is taken off all first, as PyTorch does: the probabilities stay, and no power overflows."
    )
    if not _broken(step):
        label = int(step.labels[0])
        st.markdown(
            f"First image, its true class **{words.plain(dataset.class_names[label])}**: e^(z − max) / Σe^(z − max) = "
            + softmax_line(step.logits[0].tolist(), label)
        )
    _table(step.probabilities.numpy(), step, dataset)


def loss_stage(step: Step, config: TrainConfig, dataset: ImageDataset) -> None:
    """−log p of each image, and their mean."""
    st.markdown(
        "The loss of an image is −log of the probability that its true class got: 0 for a sure right answer, large for "
        f"a sure wrong one. Guessing among {dataset.num_classes} classes costs "
        f"−log(1/{dataset.num_classes}) = {math.log(dataset.num_classes):.4f}."
    )
    if smoothing := config.label_smoothing:
        st.caption(
            f"Label smoothing ε = {smoothing:g}: that share of the target is spread evenly over all classes, so the "
            "loss is (1 − ε)·(−log p) + ε·(the mean of −log p over all classes)."
        )
    if _broken(step):
        return
    rows = list(zip(step.logits.tolist(), step.labels.tolist(), strict=True))
    lines = [loss_line(logits, label) for logits, label in rows]
    if any(line.startswith("log") for line in lines):
        st.caption(
            "Where p is too small to be written, −log p is worked out as log Σe^z − z, z the true class's logit: that "
            "is the same, and the form that PyTorch computes."
        )
    table = pd.DataFrame(
        {
            "Image": range(1, len(rows) + 1),
            "True class": [dataset.class_names[label] for _, label in rows],
            "−log p": lines,
            **({"Smoothed": [smoothed_line(*row, smoothing) for row in rows]} if smoothing else {}),
            "Loss": step.losses.tolist(),
        }
    )
    bar = st.column_config.ProgressColumn(format="%.4f", min_value=0, max_value=float(table["Loss"].max()), width=88)
    st.dataframe(
        table, hide_index=True, height=320, key="step.losses", column_config={"Loss": bar},
    )  # fmt: skip
    st.markdown(f"Their mean is the batch's loss: **{step.loss:.8f}**")


def _broken(step: Step) -> bool:
    """Whether logits are no finite numbers; a sentence on the page if so."""
    if broken := not bool(step.logits.isfinite().all()):
        st.warning(
            "Some logits are no finite numbers any more: the steps before were far too long. Open an earlier step, or "
            "try a much lower learning rate.",
            icon=":material/warning:",
        )
    return broken


def zero_stage(step: Step, config: TrainConfig, dataset: ImageDataset) -> None:
    """What would be left over."""
    st.markdown(
        "`backward` **adds** to the gradients that are there. So what the last step left must go first, or this step "
        "would follow the sum of both."
    )
    if step.number == 1:
        st.info(
            "This is the first step: there is nothing left over yet. Open step 2 to see some.", icon=":material/info:"
        )
    else:
        st.metric(
            f"Gradient left over from step {step.number - 1}", _written(step.left_over), border=True,
            help="The norm of all gradients together, before they are cleared.",
        )  # fmt: skip
        st.markdown("`zero_grad()` clears it: PyTorch sets each `w.grad` to **None**, which counts as 0.")


def backward_stage(step: Step, config: TrainConfig, dataset: ImageDataset) -> None:
    """Each layer's gradient norm, and the gradient of the first kernels."""
    st.markdown(
        "Going back from the loss by the chain rule, every weight gets its gradient: how much the loss would rise if "
        f"the weight rose a little. All together have a norm (length) of **{_written(step.gradient_norm)}**."
    )
    if step.clip < 1:
        st.markdown(f"Gradient clipping to {config.grad_clip:g} then multiplies them all by {step.clip:.6f}.")
    titles = _layer_names(step, config, dataset)
    norms = {titles[name]: w.gradient_norm for name, w in step.weights.items()}
    told = "; ".join(f"{name} {value:.3g}" for name, value in norms.items())
    plot(norms_figure(norms), "Gradient norms", "step.norms", alt=told)
    if step.first_kernels is not None:
        kernels = step.first_kernels[:16].mean(1).numpy()
        st.caption(
            "The gradient of the first convolution's kernels"
            + (", mean over the input's channels" if step.first_kernels.shape[1] > 1 else "")
            + ": orange where the loss rises with the weight, blue where it falls, dark where it does not care."
        )
        figure = strip_figure(kernels, [f"channel {i}" for i in range(len(kernels))], 8, CELL)
        width = min(8, len(kernels)) * (CELL + GAP)
        plot(figure, "", "step.kernels", width=width, alt="Gradients of the first kernels.")


def update_stage(step: Step, config: TrainConfig, dataset: ImageDataset) -> None:
    """The optimiser's arithmetic for one chosen weight."""
    st.markdown(f"{words.choice(config.optimizer)} moves every weight against its gradient. Follow one of them:")
    titles = _layer_names(step, config, dataset)
    expect_one_of("step.weights", titles.values())
    with st.container(horizontal=True):
        name = st.selectbox(
            "Weights", list(step.weights), key="step.weights", persist_state="session", bind="query-params",
            format_func=titles.__getitem__,
        )  # fmt: skip
        w = step.weights[name]
        kept, count = len(w.before), math.prod(w.shape)
        among = "" if kept == count else f"the first {kept:,} of "
        expect_number(f"step.index.{name}", 0, kept - 1)
        index = st.number_input(
            f"Which one (of {among}{count:,})", 0, kept - 1, int(w.gradient.abs().argmax()),
            key=f"step.index.{name}", persist_state="session", bind="query-params",
            help=f"Counted from 0; the one with the largest gradient {'among these ' if among else ''}to begin with.",
        )  # fmt: skip
    place = np.unravel_index(int(index), w.shape)
    weight, gradient, after = (float(t[int(index)]) for t in (w.before, w.gradient, w.after))
    st.markdown(
        f"`{name}[{', '.join(map(str, place))}]`: w = **{shown(weight)}**, g = **{shown(gradient)}**, "
        f"lr = **{shown(step.lr)}**, step t = {step.number}"
    )
    if letters := constants(config):
        st.caption(letters)
    state = {key: float(t[min(int(index), len(t) - 1)]) for key, t in w.state.items()}
    lines = update_lines(config, weight, gradient, step.lr, state, step.clip)
    for line in lines:
        st.markdown(f"`{line.symbols}` &nbsp; :gray[{line.meaning}]  \n{line.numbers} = **{shown(line.value)}**")
    same = shown(after) == shown(lines[-1].value)
    st.markdown(f"torch's own new weight: **{shown(after)}** {'✓ the same' if same else '✗ not the same'}")


def after_stage(step: Step, config: TrainConfig, dataset: ImageDataset) -> None:
    """The loss on the same batch with the new weights."""
    st.markdown("The same batch once more, through the network with its new weights:")
    change = step.loss_after - step.loss
    with st.grid(2, min_column_width=160):
        st.metric("Loss before", _written(step.loss), border=True, height="stretch")
        st.metric(
            "Loss afterwards", _written(step.loss_after), _written(change, "+"), delta_color="inverse", border=True,
            height="stretch",
        )  # fmt: skip
    blown_up = step.loss > 10 * math.log(dataset.num_classes)
    st.markdown(
        "It fell, but from a loss that the steps before had blown up: try a lower learning rate." if change < 0
        and blown_up else
        "It fell: the step went downhill." if change < 0 else
        "It did not change: the step was too short to be seen. Try a higher learning rate." if change == 0 else
        "It rose: the step was too long for this slope. Try a lower learning rate." if change > 0 else
        "It is no number any more: the step was far too long. Try a much lower learning rate."
    )  # fmt: skip


def _written(value: float, sign: str = "") -> str:
    """With six decimals, or with its power of ten where these would be no more than a row of digits."""
    if not 1e4 <= abs(value) < math.inf:
        return f"{value:{sign}.6f}"
    return f"{sign if value > 0 else ''}{words.power(value)}"


def _layer_names(step: Step, config: TrainConfig, dataset: ImageDataset) -> dict[str, str]:
    """How Anatomy counts the layers of the weights, with PyTorch's names: ``4. Conv2d: 3.weight``."""
    parts = cache.parts(config, dataset.shape)
    known = {part.name: f"{part.index + 1}. {part.kind}: " for part in parts}
    return {name: known.get(name.rpartition(".")[0], "") + name for name in step.weights}


def _table(values: np.ndarray, step: Step, dataset: ImageDataset) -> None:
    names = [dataset.class_names[label] for label in step.labels.tolist()]
    table = pd.DataFrame(values, columns=[str(name) for name in dataset.class_names])
    table.insert(0, "True class", names)
    number = st.column_config.NumberColumn(format="%.3f", width=54)
    columns = {"True class": st.column_config.TextColumn(width=80), **dict.fromkeys(table.columns[1:], number)}
    st.dataframe(table, hide_index=True, height=320, column_config=columns)


Stage = Callable[[Step, TrainConfig, ImageDataset], None]
STAGES: dict[str, Stage] = {
    "Batch": batch_stage,
    "Logits": logits_stage,
    "Softmax": softmax_stage,
    "Loss": loss_stage,
    "zero_grad": zero_stage,
    "backward": backward_stage,
    "step": update_stage,
    "After": after_stage,
}


def code_of(stage: int, config: TrainConfig) -> str:
    """The lines of PyTorch that did the stage."""
    smoothing = f", label_smoothing={config.label_smoothing:g}" if config.label_smoothing else ""
    clip = f"\n\nnn.utils.clip_grad_norm_(model.parameters(), {config.grad_clip:g})" if config.grad_clip else ""
    return (
        f"inputs = ({'augmented(images)' if augments(config) else 'images'}.float() / 255 - mean) / std",
        "model.train()\nlogits = model(inputs)",
        "probabilities = logits.softmax(dim=1)",
        f"# softmax, log and mean in one call\nloss = cross_entropy(logits, labels{smoothing})",
        "optimizer.zero_grad()",
        f"loss.backward()\n\nfor name, w in model.named_parameters():\n    print(name, w.grad.norm()){clip}",
        "optimizer.step()",
        f"print(cross_entropy(model(inputs), labels{smoothing}))",
    )[stage]
