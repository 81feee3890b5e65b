"""Where a sweep stands, in the words that its page shows.

>>> sweep_status(read_sweep(folder)).text                                 # doctest: +SKIP
'7 of 20 trials are done · Trial 8 is training: learning rate 0.0031'
"""

import threading
from collections import Counter, OrderedDict

from cnnlab.config import shown, title
from cnnlab.sweeps.folder import SweepFolder
from cnnlab.sweeps.study import JUDGED, Sweep, Trial, best_of, load_sweep
from cnnlab.ui import words
from cnnlab.ui.train.status import LEAST_PAUSE, Status, Tile

MOST = 8  # sweeps kept in memory: of one that is, only the journal's news are read

_sweeps: OrderedDict[tuple[SweepFolder, bytes], Sweep] = OrderedDict()
_reading = threading.Lock()


def read_sweep(folder: SweepFolder) -> Sweep:
    """The sweep in ``folder``. Raises SweepError."""
    key = (folder, folder.identity())
    with _reading:
        sweep = _sweeps.pop(key, None) or load_sweep(folder)
        _sweeps[key] = sweep
        if len(_sweeps) > MOST:
            _sweeps.popitem(last=False)
    return sweep


def settings_text(trial: Trial) -> str:
    """What a trial varied, such as ``learning rate 0.0031, batch size 64``."""
    return ", ".join(f"{title(name).lower()} {value_text(value)}" for name, value in trial.settings.items())


def value_text(value: object) -> str:
    """A setting's value, with so many digits as one can tell apart."""
    return f"{value:.3g}" if isinstance(value, float) else shown(value)


def sweep_status(sweep: Sweep) -> Status:
    """The Status of ``sweep`` now. Raises SweepError."""
    trials, plan = sweep.trials(), sweep.plan()
    state = sweep.state(trials)
    counts = Counter(trial.state for trial in trials)
    total, done = plan.trials if plan else 0, sum(counts[state] for state in JUDGED)
    fingerprint = ",".join([state, str(sweep.folder.stop_requested()), *(f"{t.number}:{t.state}" for t in trials)])
    best = best_of(trials)
    tiles = (
        Tile("Best so far", words.percent(best.accuracy if best else None), "Of the trials that finished."),
        Tile("Finished", str(counts["finished"]), "Trained to their end."),
        Tile("Pruned", str(counts["pruned"]), "Cut short, for at the same epoch most others were better."),
        Tile("Failed", str(counts["failed"]), "Could not be trained with these settings: the table says why."),
        Tile("Workers", str(sweep.folder.at_work()), "Processes at work on this folder of runs."),
    )
    share = min(1.0, done / total) if total else 0.0
    return Status(fingerprint, share, _text(state, trials, done, total), tiles, LEAST_PAUSE)


def _text(state: str, trials: list[Trial], done: int, total: int) -> str:
    if not total:
        return "Starting: Python and PyTorch are being loaded …"
    said = [f"{done} of {total} trials are done" if total > 1 else f"{done} of 1 trial is done"]
    for trial in trials:
        if trial.state == "running":
            said.append(f"Trial {trial.number} is training: {settings_text(trial)}")
        elif trial.state == "queued":
            said.append(f"Trial {trial.number} waits for its turn")
    if state == "running" and len(said) == 1:
        said.append("the next is being chosen")
    return " · ".join(said[:4])
