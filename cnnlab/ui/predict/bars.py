"""The most probable classes as bars that move when the picture changes: how sure, and what the network itself says.

>>> bars([panel("", answer, top=5)], key="bars")                          # doctest: +SKIP
"""

from typing import Any

from cnnlab.prediction.predictor import Answer
from cnnlab.ui import words
from cnnlab.ui.component import component

_component = component(__file__)


def panel(title: str, answer: Answer, top: int) -> dict[str, Any]:
    """The ``top`` classes of ``answer`` under ``title``."""
    rows = [
        {
            "name": share.name,
            "confidence": share.confidence,
            "probability": share.probability,
            "sure": words.sure(share.confidence),
            "plain": words.sure(share.probability),
        }
        for share in answer.top(top)
    ]
    return {"title": title, "rows": rows}


def bars(panels: list[dict[str, Any]], key: str, id: str = "") -> None:
    """Show ``panels`` side by side. The bar is the calibrated confidence, the line in it the network's own figure.

    ``id`` tells a test for which picture they were drawn.
    """
    shape = ",".join(f"{panel['title']}:{len(panel['rows'])}" for panel in panels)
    _component(data={"panels": panels, "shape": shape, "id": id}, key=key, height="content")
