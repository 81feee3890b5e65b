"""The same step again and again: the loss on one batch, at the recipe's learning rate and at one's own."""

import math
from collections.abc import Callable

import streamlit as st

from cnnlab.explain.step import Step
from cnnlab.figures.gradients import losses_figure
from cnnlab.ui import words
from cnnlab.ui.address import expect_number, expect_one_of, expect_truth
from cnnlab.ui.plot import plot

Losses = Callable[[int, float | None], list[float]]
"""(steps, learning rate or None for the schedule's) -> losses before each step and after the last."""

NEAR = 0.15  # share of a loss by which another is taken for the same
FACTORS = (1, 3, 10, 30, 100, 300, 1000, 10_000)


def repeat_view(step: Step, losses: Losses) -> None:
    """How many steps, at which rate, and what becomes of the loss."""
    st.subheader("And again", anchor=False)
    st.markdown("The same batch, step after step. Raise the learning rate until it blows up.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        expect_number("repeat.steps", 1, 50)
        expect_one_of("repeat.factor", [str(factor) for factor in FACTORS])
        expect_truth("repeat.go")
        steps = st.slider(
            "Steps", 1, 50, 10, key="repeat.steps", width=260, persist_state="session", bind="query-params"
        )
        factor = st.select_slider(
            "Learning rate, times", FACTORS, 1, key="repeat.factor", width=300, persist_state="session",
            bind="query-params",
        )  # fmt: skip
        asked = st.toggle("Take these steps", key="repeat.go", persist_state="session", bind="query-params")
    if not asked:
        return
    curves = {f"lr = {step.lr:g}": losses(steps, step.lr)}
    if factor != 1:
        curves[f"lr = {factor * step.lr:g}"] = losses(steps, factor * step.lr)
    told = "; ".join(f"{name}: from {c[0]:.4g} to {c[-1]:.4g}" for name, c in curves.items())
    plot(losses_figure(curves), "Losses on one batch", "repeat.losses", alt=told)
    for name, curve in curves.items():
        st.markdown(f"{name}: {_verdict(curve, step.probabilities.shape[1])}")


def _verdict(curve: list[float], classes: int) -> str:
    broken = next((number for number, loss in enumerate(curve) if not math.isfinite(loss)), None)
    if broken is not None:
        return f"**blown up**: after {broken} step{'s' if broken != 1 else ''} the loss is not a number any more."
    if curve[-1] > 2 * curve[0] and curve[-1] > max(curve) / 2:
        return f"**it blows up**: from {curve[0]:.4f} to {curve[-1]:,.4g}. Each step overshoots the valley by more."
    if max(curve) > 2 * curve[0]:
        top = f"{max(curve):,.4f}" if max(curve) < 1e4 else words.power(max(curve))
        guess = math.log(classes)
        lost = f", about where guessing stands ({guess:.4f})" if abs(curve[-1] - guess) < NEAR * guess else ""
        learnt = curve[0] < (1 - NEAR) * guess and curve[0] < curve[-1]
        return f"**it blew up** to {top} and came back to {curve[-1]:.4f}{lost}" + (
            ": what it had learnt is lost." if learnt else "."
        )
    if curve[-1] < curve[0]:
        return f"the loss falls from {curve[0]:.4f} to {curve[-1]:.4f}."
    return f"the loss does not fall ({curve[0]:.4f} to {curve[-1]:.4f}): the rate is at its limit."
