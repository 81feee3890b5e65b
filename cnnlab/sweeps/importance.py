"""How much each varied setting mattered in a sweep.

Watanabe, Bansal, Hutter: PED-ANOVA, IJCAI 2023, as Optuna has it: it compares the settings of the best trials with
those of all, in milliseconds.
"""

import warnings

from optuna.importance import get_param_importances

from cnnlab.sweeps.study import Sweep

ENOUGH = 10  # finished trials below which the best are too few to tell


def importance(sweep: Sweep) -> dict[str, float]:
    """Setting -> its share in [0, 1] of what made trials good; empty where too few finished, or all were equal."""
    finished = [trial for trial in sweep.trials() if trial.state == "finished"]
    varied = {name for trial in finished for name in trial.settings}
    if len(finished) < ENOUGH or len(varied) < 2 or len({trial.accuracy for trial in finished}) < 2:
        return {}
    with warnings.catch_warnings(action="ignore"):
        return get_param_importances(sweep.study)
