"""What there is: runs, recipes, models, datasets."""

import argparse
import json
import sys
from datetime import datetime, timedelta

from cnnlab import recipes
from cnnlab.cli.base import OK, AddCommand, add_runs_dir, folder_of
from cnnlab.config import TrainConfig
from cnnlab.runs import RunError, list_runs


def add_commands(command: AddCommand) -> None:
    """Add the commands."""
    runs = command("runs", "List the runs.", _runs)
    add_runs_dir(runs)
    runs.add_argument("--json", action="store_true", help="print JSON, with all settings")
    command("recipes", "List the recipes.", _recipes)
    command("models", "List the networks.", _models)
    command("datasets", "List the datasets.", _datasets)


def _runs(given: argparse.Namespace) -> int:
    from cnnlab.console import print_table
    from cnnlab.metrics import percent
    from cnnlab.summary import summarise

    folder = folder_of(given)
    rows, found = [], []
    for run in list_runs(folder):
        try:
            facts = summarise(run)
        except RunError as error:
            print(f"cnnlab: {error}", file=sys.stderr)
            continue
        age = datetime.fromtimestamp(facts.created).strftime("%Y-%m-%d %H:%M")
        rows.append(
            (
                run.name,
                facts.state,
                facts.recipe or "–",
                facts.config.dataset,
                f"{facts.epoch}/{facts.config.epochs}",
                percent(facts.best_accuracy),
                str(timedelta(seconds=round(facts.duration))),
                age,
            )
        )
        found.append({**vars(facts), "config": facts.config.model_dump(mode="json"), "path": str(run.path)})
    if given.json:
        print(json.dumps(found))
        return OK
    columns = ("run", "state", "recipe", "dataset", "epoch", "validation accuracy (lowest loss)", "duration", "created")
    print_table(f"{len(rows)} run{'s' if len(rows) != 1 else ''} in {folder}", columns, rows)
    return OK


def _recipes(given: argparse.Namespace) -> int:
    from cnnlab.console import print_table

    rows = []
    for name in recipes.RECIPES:
        recipe = recipes.get(name)
        c = recipe.config
        rows.append(
            (name, c.model, c.dataset, f"{c.optimizer} lr {c.lr:g}", str(c.batch_size), str(c.epochs), recipe.summary)
        )
    print_table("Recipes", ("recipe", "network", "dataset", "optimiser", "batch", "epochs", "what it is"), rows)
    return OK


def _models(given: argparse.Namespace) -> int:
    from cnnlab.console import print_table
    from cnnlab.models import MODELS, count_parameters, outline

    rows = []
    for name in MODELS:
        config = TrainConfig(model=name)
        grey = count_parameters(outline(config, 1, 28, 10))
        colour = count_parameters(outline(config, 3, 32, 10))
        rows.append((name, f"{grey:,}", f"{colour:,}", MODELS.get(name).summary))
    columns = ("network", "parameters at 28×28×1", "at 32×32×3", "what it is")
    print_table("Networks, for 10 classes", columns, rows)
    return OK


def _datasets(given: argparse.Namespace) -> int:
    from cnnlab.console import print_table
    from cnnlab.datasets import DATASETS

    rows = []
    for name in DATASETS:
        d = DATASETS.get(name)
        channels, size, classes = d.shape
        images, counts = f"{size}×{size}×{channels}", (f"{d.train_count:,}", f"{d.test_count:,}")
        here = "yes" if d.is_here() else f"no, {d.download_mb} MB to download"
        rows.append((name, images, str(classes), *counts, here, d.summary))
    rows.append(
        ("folder:PATH", "any", "any", "–", "–", "–", "Your own images: PATH/class/… or PATH/train|val|test/class/…")
    )
    print_table("Datasets", ("dataset", "images", "classes", "train", "test", "here", "what it is"), rows)
    return OK
