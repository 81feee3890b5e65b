"""What if a part were not there: paint it out of what the network sees, and the bars answer at once."""

import numpy as np
import streamlit as st
import torch
from PIL import Image

from cnnlab.prediction.preprocess import LAYOUTS, Prepared
from cnnlab.ui import words
from cnnlab.ui.canvas import canvas_box
from cnnlab.ui.predict.answer import Asked
from cnnlab.ui.predict.bars import bars, panel
from cnnlab.ui.predict.layout import SIDE, side_by_side

TOP = 5
FILLS = {"Black": "#000000", "Grey": "#808080", "White": "#ffffff"}


def paint_view(asked: Asked) -> None:
    """The picture with a brush on the left, the answers before and after on the right."""
    predictor, prepared, before = asked.subject.predictor, asked.prepared, asked.answer
    left, right = side_by_side("painted")
    with left:
        painted = _painted(prepared, asked.id)
    after = predictor.answers(painted[None], prepared.scaling)[0]
    with right:
        bars([panel("As it was", before, TOP), panel("Painted", after, TOP)], "predict.bars.painted")
        names = list(map(words.plain, before.class_names))
        if torch.equal(painted, prepared.pixels):
            drawn = predictor.checkpoint.config.dataset in LAYOUTS
            what = "stroke, or add one," if drawn else "part of the picture,"
            st.caption(f"Paint over a {what} and see what that changes.")
        elif after.label == before.label:
            st.markdown(f"It still says **{names[after.label]}**.")
        else:
            st.markdown(f"Now it says **{names[after.label]}** instead of {names[before.label]}.")


def _painted(prepared: Prepared, id: str) -> torch.Tensor:
    """The pixels with what was painted over them, uint8 [C, H, W]."""
    from streamlit_drawable_canvas import st_canvas  # outside a running server it cannot be imported

    turn = st.session_state.get("predict.paint.turn", 0)
    slot = canvas_box("predict-paint")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button("Start over", icon=":material/restart_alt:", key="predict.paint.clear", on_click=_start_over)
        brush = st.slider("Brush width", 8, 80, 32, key="predict.paint.brush", persist_state="session")
    fill = st.segmented_control(
        "Paint", list(FILLS), default="Black", required=True, key="predict.paint.fill", persist_state="session",
        label_visibility="collapsed",
    )  # fmt: skip
    pixels = prepared.pixels.permute(1, 2, 0).numpy().squeeze()
    with slot:
        result = st_canvas(
            stroke_width=brush,
            stroke_color=FILLS[fill],
            background_image=Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.NEAREST),
            height=SIDE,
            width=SIDE,
            return_image_data=True,
            key=f"predict.paint.{turn}.{id}",
        )
    if result.image_data is None:
        return prepared.pixels
    return _over(prepared.pixels, Image.fromarray(result.image_data, "RGBA"))


def _over(pixels: torch.Tensor, layer: Image.Image) -> torch.Tensor:
    """``pixels`` (uint8 [C, H, W]) below ``layer``, each pixel covered by the share that the paint covers."""
    small = np.asarray(layer.resize((pixels.shape[2], pixels.shape[1]), Image.Resampling.BOX), dtype=np.float32)
    cover = torch.from_numpy(small[..., 3] / 255)
    colour = torch.from_numpy(small[..., :3]).permute(2, 0, 1)
    if len(pixels) == 1:
        colour = colour.mean(0, keepdim=True)
    mixed = pixels * (1 - cover) + colour * cover
    return mixed.round().clamp(0, 255).to(torch.uint8)


def _start_over() -> None:
    st.session_state["predict.paint.turn"] = st.session_state.get("predict.paint.turn", 0) + 1
