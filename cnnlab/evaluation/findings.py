"""What the rules of ``advice`` find in a run: its curves, its answers, and other runs on the same images.

>>> [finding.title for finding in findings(run, evaluation)]              # doctest: +SKIP
['The loss is still falling']
"""

from contextlib import suppress

from cnnlab.evaluation import advice
from cnnlab.evaluation.advice import Advice
from cnnlab.evaluation.evaluate import Evaluation, kept_answers
from cnnlab.runs import Run, RunError, list_runs, names_of
from cnnlab.summary import Summary, held_out_of, summarise


def findings(run: Run, evaluation: Evaluation) -> list[Advice]:
    """All that the rules of ``advice`` have to say about ``run`` and its answers. Raises RunError."""
    e = evaluation
    if nothing := advice.learnt_nothing(e.confusion, e.class_names):
        return [nothing]  # what else there is to say of its answers is no use
    train, val = _losses(run)
    rivals = _rivals(run, e.split)
    names = names_of(rivals)
    best = {names[r.id]: r.best_accuracy for r in rivals if e.split == "val" and r.best_accuracy is not None}
    others = (kept_answers(Run(run.path.parent / rival.id), e) for rival in rivals)
    answers = [e.predicted, *(a for a in others if a is not None)]
    said = [
        advice.still_falling(val),
        advice.overfitting(train, val, run.config),
        advice.weak_classes(e.per_class),
        advice.too_few(e.per_class),
        advice.eating_pair(e.confusion, e.class_names),
        advice.too_small(e.scores, best),
        advice.overconfident(e.confidence, e.right),
        advice.mislabelled(answers, e.labels, e.ids, e.class_names),
    ]
    return [a for a in said if a]


def _losses(run: Run) -> tuple[list[float], list[float]]:
    """Training and validation loss of each epoch; no validation losses where a run has no validation images."""
    epochs = list(run.records("epoch"))
    train, val = ([e[key] for e in epochs if key in e] for key in ("train/loss", "val/loss"))
    return train, val


def _rivals(own: Run, split: str) -> list[Summary]:
    """Other runs that were judged by the same images of ``split``."""

    def judge(summary: Summary) -> tuple[object, ...]:
        same_test = (summary.config.dataset, summary.images_version)
        return same_test if split == "test" else held_out_of(summary)

    wanted = judge(summarise(own))
    found = []
    for run in list_runs(own.path.parent):
        with suppress(RunError):
            if run.id != own.id and judge(summary := summarise(run)) == wanted:
                found.append(summary)
    return found
