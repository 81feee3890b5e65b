"""A run's progress and figures, kept up to date in the browser: no rerun until the run's state changes.

A rerun each second would take the training a tenth of its speed where the browser shares its processor.

>>> live_status(run, run.state())                                        # doctest: +SKIP
"""

from dataclasses import asdict

from cnnlab.runs import LIVE, Run, State
from cnnlab.ui.component import component
from cnnlab.ui.followed import route
from cnnlab.ui.train.status import Status, status

_component = component(__file__)


def live_status(run: Run, state: State) -> None:
    """Show where ``run`` stands, again and again while it is live; once its state is not ``state``, the page reruns.

    ``state`` is what the rest of the page was drawn for.
    """
    src = route(run, "status") if state in LIVE else ""
    watched(status(run), state, src, key=f"status.{run.id}")


def watched(now: Status, shown: str, src: str, key: str) -> None:
    """Show ``now``, again and again with what ``src`` answers, unless that is empty.

    Once the answer's state is not ``shown``, the page reruns.
    """
    data = {"status": asdict(now), "shown": shown, "src": src}
    _component(data=data, key=key, height="content", on_changed_change=lambda: None)
