"""A run's progress and figures, kept up to date in the browser: no rerun until the run's state changes.

A rerun each second would take the training a tenth of its speed where the browser shares its processor.

>>> live_status(run, run.state())                                        # doctest: +SKIP
"""

from dataclasses import asdict

from cnnlab.runs import LIVE, Run, State
from cnnlab.ui.component import component
from cnnlab.ui.train.status import status

_component = component(__file__)


def live_status(run: Run, state: State) -> None:
    """Show where ``run`` stands, again and again while it is live; once its state is not ``state``, the page reruns.

    ``state`` is what the rest of the page was drawn for.
    """
    src = f"/lab/runs/{run.id}/status" if state in LIVE else ""
    data = {"status": asdict(status(run)), "shown": state, "src": src}
    _component(data=data, key=f"status.{run.id}", height="content", on_changed_change=lambda: None)
