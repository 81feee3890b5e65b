"""The Train page's sweeps without a browser: every state, taking over the best, and the form for a new one."""

from pathlib import Path
from typing import Any

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import TrialState, create_trial

from cnnlab.recipes import get
from cnnlab.sweeps.folder import SweepFolder, Worker
from cnnlab.sweeps.plan import Plan
from cnnlab.sweeps.study import Sweep, open_sweep
from cnnlab.ui.train.sweep_status import read_sweep
from tests.pages import said
from tests.test_pages import click_name, ended_run, opened, runs, tick

__all__ = ["runs"]

VARY = ("lr=0.0001..0.1:log", "batch_size=32,64")
SPACE = {"lr": FloatDistribution(0.0001, 0.1, log=True), "batch_size": CategoricalDistribution([32, 64])}


def sweep_with(folder: Path, *trials: tuple[str, float | None, dict[str, Any]], total: int = 20) -> Sweep:
    """The sweep ``search`` whose trials had these ends, accuracies and attributes; each with other settings."""
    sweep = open_sweep(SweepFolder(folder, "search"))
    sweep.keep(Plan(get("quick_digits").config, VARY, total, "quick_digits"))
    for number, (state, accuracy, facts) in enumerate(trials):
        sweep.study.add_trial(
            create_trial(
                state=TrialState[state],
                value=accuracy if state == "COMPLETE" else None,
                params={"lr": 0.001 * (number + 1), "batch_size": 64},
                distributions=SPACE,
                intermediate_values={} if accuracy is None else {1: accuracy},
                user_attrs=facts,
            )
        )
    return sweep


def test_without_a_sweep_the_page_says_what_one_is_and_offers_to_begin(runs: Path) -> None:
    app = opened(view="sweeps")
    assert "A sweep trains the network of the sidebar again and again" in app.info[0].value
    varied = "--vary lr=0.0003..0.03:log --vary batch_size=16,32,64"
    assert app.code[0].value == (
        f"python -m cnnlab sweep --recipe quick_digits {varied} --trials 12 --name quick_digits-sweep"
    )
    assert not app.button(key="sweep.start").disabled


def test_what_is_varied_and_over_which_values_is_in_the_command(runs: Path) -> None:
    app = opened(view="sweeps")
    app.multiselect(key="sweep.vary").set_value(["lr", "optimizer"]).run()
    app.number_input(key="sweep.lr.0.003.To").set_value(0.5).run()
    app.number_input(key="sweep.trials").set_value(7).run()
    assert "--vary lr=0.0003..0.5:log --vary optimizer=sgd,adam,adamw --trials 7" in app.code[0].value
    app.multiselect(key="sweep.vary").set_value(["lr", "optimizer", "momentum"]).run()
    assert "--vary momentum=0.5..0.99" in app.code[0].value  # it counts with one of the optimisers
    assert not app.error


@pytest.mark.parametrize(
    ("address", "low", "said"),
    [
        ({"recipe": "quick_digits"}, 0.5, "From must be below To"),
        ({"recipe": "quick_digits"}, -1.0, "From is -1; on a log scale it must be above 0"),
        ({"recipe": "mlp", "dataset": "digits"}, 0.001, "hold out images to compare by"),
    ],
)
def test_what_cannot_be_swept_is_told_before_start(runs: Path, address: dict[str, str], low: float, said: str) -> None:
    app = opened(view="sweeps", **address)
    rate = app.session_state["train.values"]["lr"]
    app.number_input(key=f"sweep.lr.{rate}.From").set_value(low).run()
    assert said in app.error[0].value
    assert app.button(key="sweep.start").disabled


def test_a_range_typed_among_the_values_that_is_none_is_told(runs: Path) -> None:
    app = opened(view="sweeps", recipe="quick_digits")
    rate = app.session_state["train.values"]["lr"]
    app.segmented_control(key=f"sweep.lr.{rate}.how").set_value("values").run()
    app.text_input(key=f"sweep.lr.{rate}.values").set_value("a..b").run()
    assert not app.exception and "a is not allowed" in app.error[0].value


def test_a_typed_name_stays_over_pages_until_its_sweep_has_begun(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnlab.ui.train.sweep_editor.start_sweep", lambda folder, arguments: open_sweep(folder))
    app = opened(view="sweeps")
    key, command = "sweep.name.quick_digits", "--name quick_digits-sweep"
    assert app.text_input(key=key).placeholder == "quick_digits-sweep" and app.code[0].value.endswith(command)
    app.text_input(key=key).set_value("mine").run()
    open_sweep(SweepFolder(runs, "quick_digits-sweep"))  # somebody else's: another name is suggested
    app.switch_page("pages/filters.py").run().switch_page("pages/train.py").run()
    assert app.text_input(key=key).value == "mine"
    app.button(key="sweep.start").click().run()
    app.button(key="sweep.back").click().run()
    assert app.text_input(key=key).value == "" and not app.error and not app.exception
    assert app.code[0].value.endswith(f"{command}-2")


def test_nothing_varied_is_no_sweep(runs: Path) -> None:
    app = opened(view="sweeps")
    app.multiselect(key="sweep.vary").set_value([]).run()
    assert "Nothing is varied" in app.error[0].value


def test_all_sweeps_are_listed_with_their_trials_and_a_damaged_one_is_told(runs: Path) -> None:
    sweep_with(runs, ("COMPLETE", 0.9, {}), ("PRUNED", 0.4, {}), ("FAIL", None, {"end": "failed", "reason": "Bad."}))
    (SweepFolder(runs, "bad").path).mkdir(parents=True)
    SweepFolder(runs, "bad").journal_path.write_text("no journal\n{}\n")
    app = opened(view="sweeps")
    assert "The sweep 'bad' cannot be read" in app.warning[0].value
    row = app.dataframe[0].value.iloc[0]
    assert (row["Sweep"], row["State"], row["Trials"]) == ("search", "stopped", 20)
    assert (row["Finished"], row["Pruned"], row["Failed"], row["Best validation accuracy"]) == (1, 1, 1, 90.0)


def test_a_damaged_sweep_says_so_on_its_own_page(runs: Path) -> None:
    (SweepFolder(runs, "bad").path).mkdir(parents=True)
    SweepFolder(runs, "bad").journal_path.write_text("no journal\n{}\n")
    assert "cannot be read" in opened(view="sweeps", sweep="bad").error[0].value


@pytest.mark.parametrize("with_runs", [False, True])
def test_a_sweep_is_deleted_with_its_trials_runs_or_without(runs: Path, with_runs: bool) -> None:
    ended_run(runs, "search-001", "finished", "All 2 epochs are done.").add_facts({"sweep": "search"})
    folder = sweep_with(runs, ("COMPLETE", 0.9, {"run": "search-001"}), ("COMPLETE", 0.8, {"run": "gone"})).folder
    app = opened(view="sweeps", sweep="search")
    app.button(key="sweep.delete").click().run()
    assert app.checkbox(key="sweep.delete.runs").label == "Its trial's run too" and folder.exists()
    app.checkbox(key="sweep.delete.runs").set_value(with_runs)
    app.button(key="sweep.delete.yes").click().run()
    assert not app.exception and not folder.path.exists()
    assert (runs / "search-001").exists() != with_runs
    assert "There is no sweep yet" in app.info[0].value


def test_a_new_sweep_of_a_deleted_ones_name_shows_its_own_trials(runs: Path, tmp_path: Path) -> None:
    later = sweep_with(tmp_path / "later", ("COMPLETE", 0.7, {}), ("COMPLETE", 0.6, {}), ("COMPLETE", 0.5, {}))
    folder = sweep_with(runs, ("COMPLETE", 0.9, {})).folder
    assert [trial.accuracy for trial in read_sweep(folder).trials()] == [0.9]
    folder.journal_path.write_bytes(later.folder.journal_path.read_bytes())  # its inode is free, and given again
    assert [trial.accuracy for trial in read_sweep(folder).trials()] == [0.7, 0.6, 0.5]


def test_a_new_sweep_on_the_database_of_a_deleted_one_shows_its_own_trials(runs: Path, tmp_path: Path) -> None:
    for accuracies in ([0.9], [0.7, 0.6, 0.5]):
        sweep = open_sweep(SweepFolder(runs, "search"), f"sqlite:///{tmp_path / 'sweep.db'}")
        for accuracy in accuracies:
            sweep.study.add_trial(create_trial(value=accuracy))
        assert [trial.accuracy for trial in read_sweep(sweep.folder).trials()] == accuracies
        sweep.delete(with_runs=False)


def test_a_damaged_sweep_can_be_deleted(runs: Path) -> None:
    folder = SweepFolder(runs, "bad")
    folder.path.mkdir(parents=True)
    folder.journal_path.write_text("no journal\n{}\n")
    app = opened(view="sweeps", sweep="bad")
    app.button(key="sweep.delete").click().run()
    assert not app.checkbox
    app.button(key="sweep.delete.yes").click().run()
    assert not app.exception and not folder.path.exists()


def test_a_sweep_that_is_gone_says_so(runs: Path) -> None:
    assert "There is no sweep 'gone'" in opened(view="sweeps", sweep="gone").warning[0].value


def test_a_sweep_shows_its_trials_the_best_first_and_takes_the_best_settings_over(runs: Path) -> None:
    ended_run(runs, "search-001", "finished", "All 2 epochs are done.").add_facts({"sweep": "search"})
    sweep_with(runs, ("COMPLETE", 0.9, {}), ("COMPLETE", 0.95, {"run": "search-001"}), ("PRUNED", 0.4, {}))
    app = opened(view="sweeps", sweep="search")
    assert "**Best: 95.00 %** of the 143 validation images, with **learning rate 0.002, batch size 64**" in said(app)
    assert "One image is 0.7 points: small differences between trials tell nothing." in said(app)
    table = app.dataframe[0].value
    assert list(table["Trial"]) == [2, 1, 3]
    assert list(table["State"]) == ["finished", "finished", "pruned"]
    assert "Why it failed" not in table
    app.button(key="sweep.take").click().run()
    assert app.number_input(key="field.lr").value == 0.002
    assert app.number_input(key="field.batch_size").value == 64
    assert "--lr 0.002 --batch-size 64" in app.code[0].value


def test_the_best_trials_run_opens(runs: Path) -> None:
    ended_run(runs, "search-000", "finished", "All 2 epochs are done.").add_facts({"sweep": "search"})
    sweep_with(runs, ("COMPLETE", 0.9, {"run": "search-000"}))
    app = opened(view="sweeps", sweep="search")
    app.button(key="sweep.best").click().run()
    assert app.selectbox(key="run.widget.search-000.search-000").value == "search-000"


def test_a_run_says_which_trial_it_is_and_why_it_was_cut_short(runs: Path) -> None:
    ended_run(runs, "search-002", "stopped", "Stopped after step 22; it can be resumed.").add_facts({"sweep": "search"})
    sweep_with(runs, ("COMPLETE", 0.9, {}), ("PRUNED", 0.4, {"run": "search-002"}))
    app = opened(view="run", run="search-002")
    assert app.button(key="run.sweep").label == "Trial 2 of search" and "Cut short: at the same epoch" in said(app)
    app.button(key="run.sweep").click().run()
    assert app.subheader[0].value == "search"


def test_one_trial_is_a_sweep_too(runs: Path) -> None:
    sweep_with(runs, ("COMPLETE", 0.9, {}), total=1)
    app = opened(view="sweeps", sweep="search")
    assert app.button(key="sweep.on").label == "Go on to 11 trials"
    assert "Told once 10 trials have finished" in said(app)


def test_where_all_were_pruned_there_is_no_best(runs: Path) -> None:
    sweep_with(runs, ("PRUNED", 0.3, {}), ("PRUNED", 0.4, {}))
    app = opened(view="sweeps", sweep="search")
    assert "No trial has finished yet" in app.info[0].value
    assert not [b for b in app.button if b.key == "sweep.take"]


def test_a_bad_combination_gets_its_reason(runs: Path) -> None:
    sweep_with(runs, ("FAIL", None, {"end": "failed", "reason": "warmup_epochs = 5 leaves nothing of the 2 epochs."}))
    app = opened(view="sweeps", sweep="search")
    assert "**No trial could be trained.** The last: warmup_epochs = 5 leaves nothing" in app.error[0].value.replace(
        "\\", ""
    )
    assert "warmup_epochs = 5" in app.dataframe[0].value["Why it failed"][0]


def test_a_sweep_whose_folder_cannot_be_written_says_so_when_it_is_to_stop(runs: Path, monkeypatch: Any) -> None:
    def refused(worker: Worker, runs: Path) -> None:
        raise PermissionError(13, "Permission denied", str(worker.path))

    monkeypatch.setattr(Worker, "request_stop", refused)
    with sweep_with(runs).folder.joined():
        app = opened(view="sweeps", sweep="search")
        app.button(key="sweep.stop").click().run()
    assert not app.exception and "cannot be written to (Permission denied)" in app.error[0].value


def test_a_sweep_at_work_can_be_stopped_and_says_how_others_join(runs: Path) -> None:
    folder = sweep_with(runs, ("COMPLETE", 0.9, {})).folder
    with folder.joined() as worker:
        app = opened(view="sweeps", sweep="search")
        assert "python -m cnnlab sweep --name search" in [code.value for code in app.code]
        app.button(key="sweep.stop").click().run()
        assert worker.stop_requested()
        assert app.button(key="sweep.stop").disabled
    app = opened(view="sweeps", sweep="search")
    assert app.button(key="sweep.on").label == "Go on to 20 trials"


def test_each_setting_that_is_varied_has_labels_of_its_own(runs: Path) -> None:
    app = opened(view="sweeps")
    app.multiselect(key="sweep.vary").set_value(["lr", "weight_decay", "batch_size", "epochs", "optimizer"]).run()
    kinds = (app.number_input, app.text_input, app.toggle, app.button_group, app.multiselect)
    labels = [w.label for kind in kinds for w in kind if str(w.key).startswith("sweep.")]
    assert "Learning rate: from" in labels and len(labels) == len(set(labels))


def test_a_click_on_a_trial_opens_its_run(runs: Path) -> None:
    ended_run(runs, "search-000", "finished", "All 2 epochs are done.").add_facts({"sweep": "search"})
    sweep_with(runs, ("COMPLETE", 0.9, {"run": "search-000"}))
    app = opened(view="sweeps", sweep="search")
    click_name(app, "sweep.trials.search", 0, "Run")
    assert app.session_state["train.run"] == "search-000"


def test_a_click_opens_the_trial_that_was_shown_there(runs: Path) -> None:
    ended_run(runs, "search-000", "finished", "All 2 epochs are done.").add_facts({"sweep": "search"})
    sweep = sweep_with(runs, ("COMPLETE", 0.9, {"run": "search-000"}))
    app = opened(view="sweeps", sweep="search")
    sweep.study.add_trial(create_trial(value=0.95))  # now the first row, but not on the screen
    tick(app, "sweep.trials.search", 0)
    assert app.session_state["train.run"] == "search-000"


def test_a_click_on_a_trial_without_a_run_says_so(runs: Path) -> None:
    sweep_with(runs, ("COMPLETE", 0.9, {"run": "elsewhere"}))
    app = opened(view="sweeps", sweep="search")
    tick(app, "sweep.trials.search", 0)
    assert app.toast[0].value == "The run elsewhere is not in this folder of runs."


def test_a_click_opens_the_sweep_that_was_shown_there(runs: Path) -> None:
    sweep_with(runs, ("COMPLETE", 0.9, {}))
    app = opened(view="sweeps")
    open_sweep(SweepFolder(runs, "newer"))
    click_name(app, "sweeps.table", 0, "Sweep")
    assert app.subheader[0].value == "search"


def test_where_all_combinations_have_been_tried_there_is_nothing_to_go_on_to(runs: Path) -> None:
    sweep = open_sweep(SweepFolder(runs, "grid"))
    sweep.keep(Plan(get("quick_digits").config, ("batch_size=64",), 1))
    space = {"batch_size": CategoricalDistribution([64])}
    sweep.study.add_trial(create_trial(value=0.9, params={"batch_size": 64}, distributions=space))
    app = opened(view="sweeps", sweep="grid")
    assert "All combinations have been tried." in said(app)
    assert not [b for b in app.button if b.key == "sweep.on"]


def test_enough_trials_tell_what_mattered(runs: Path) -> None:
    sweep_with(runs, *(("COMPLETE", 0.9 - 0.01 * number, {}) for number in range(12)))
    app = opened(view="sweeps", sweep="search")
    assert "What sets the best tenth" in said(app)


@pytest.mark.parametrize("name", ["..", "../..", "/etc", "sweeps"])
def test_an_address_leads_to_no_folder_elsewhere(runs: Path, name: str) -> None:
    runs.mkdir()
    (runs / "journal").write_text("Mine.")
    app = opened(view="sweeps", sweep=name)
    assert app.warning[0].value.startswith(f"There is no sweep '{name}'")
    assert "sweep.delete" not in {button.key for button in app.button}
