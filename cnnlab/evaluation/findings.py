"""What the rules of ``advice`` find in a run: its curves, its answers, and other runs on the same images.

>>> [finding.title for finding in findings(run, evaluation)]              # doctest: +SKIP
['The loss is still falling']
"""

from cnnlab.evaluation import advice
from cnnlab.evaluation.advice import Advice
from cnnlab.evaluation.evaluate import Evaluation, kept_answers
from cnnlab.runs import Run, RunError, list_runs
from cnnlab.summary import summarise


def findings(run: Run, evaluation: Evaluation) -> list[Advice]:
    """All that the rules of ``advice`` have to say about ``run`` and its answers. Raises RunError."""
    e = evaluation
    if nothing := advice.learnt_nothing(e.confusion, e.class_names):
        return [nothing]  # what else there is to say of its answers is no use
    train, val = _losses(run)
    rivals = _rivals(run, e.split)
    accuracies = _accuracies(rivals) if e.split == "val" else {}
    answers = [e.predicted, *(a for rival in rivals if (a := kept_answers(rival, e)) is not None)]
    said = [
        advice.still_falling(val),
        advice.overfitting(train, val, run.config),
        advice.weak_class(e.per_class),
        advice.eating_pair(e.confusion, e.class_names),
        advice.too_small(e.scores, accuracies),
        advice.overconfident(e.confidence, e.right),
        advice.mislabelled(answers, e.labels, e.ids, e.class_names),
    ]
    return [a for a in said if a]


def _losses(run: Run) -> tuple[list[float], list[float]]:
    """Training and validation loss of each epoch; no validation losses where a run has no validation images."""
    epochs = list(run.records("epoch"))
    train, val = ([e[key] for e in epochs if key in e] for key in ("train/loss", "val/loss"))
    return train, val


def _rivals(own: Run, split: str) -> list[Run]:
    """Other runs that were judged by the same images."""
    c = own.config
    found = []
    for run in list_runs(own.path.parent):
        try:
            other = run.config
        except RunError:
            continue
        same = (other.dataset, other.validation_fraction, other.seed) == (c.dataset, c.validation_fraction, c.seed)
        if run.id != own.id and (same or (other.dataset == c.dataset and split == "test")):
            found.append(run)
    return found


def _accuracies(runs: list[Run]) -> dict[str, float]:
    best = {run.name: summarise(run).best_accuracy for run in runs}
    return {name: accuracy for name, accuracy in best.items() if accuracy is not None}
