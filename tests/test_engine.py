"""fit() agrees with a plain PyTorch loop, repeats itself bit for bit, goes on exactly, records what it promises."""

import copy
import math
import shutil
from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from cnnlab import engine, recipes
from cnnlab.checkpoints import read_checkpoint, restore, save_checkpoint
from cnnlab.checks import check
from cnnlab.config import TrainConfig
from cnnlab.datasets import ImageDataset
from cnnlab.engine import NotFinite, Record, TrainState, fit, new_state
from cnnlab.inference import infer, pick_device
from cnnlab.loader import Scaling, epoch_batches, scaling_of
from cnnlab.models import ModelError
from cnnlab.parsing import ConfigError, adapt, parse

# Everything that a checkpoint must carry: batch norm, dropout, momentum or Adam's moments, augmentation, a schedule
DEMANDING = {
    "model": "custom",
    "dropout": 0.3,
    "batch_size": 16,
    "epochs": 3,
    "augment_shift": 2,
    "augment_rotation": 10,
    "schedule": "cosine",
    "warmup_epochs": 1,
    "label_smoothing": 0.1,
    "eval_every": 5,
    "device": "cpu",
}
OPTIMISERS = (
    {"optimizer": "sgd", "momentum": 0.9, "nesterov": True, "lr": 0.05},
    {"optimizer": "sgd", "lr": 0.05},
    {"optimizer": "adam"},
    {"optimizer": "adamw", "weight_decay": 0.1, "grad_clip": 1.0},
)


def small(**values: object) -> TrainConfig:
    return parse({"model": "simple_cnn", "epochs": 2, "batch_size": 32, "device": "cpu", "lr": 0.003, **values})


def trained(config: TrainConfig, dataset: ImageDataset, **options: object) -> tuple[TrainState, list[Record]]:
    state = new_state(config, dataset)
    return state, list(fit(state, dataset, config, **options))


def weights(state: TrainState) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in state.model.state_dict().items()}


def assert_same_weights(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> None:
    assert one.keys() == other.keys()
    assert not [name for name in one if not one[name].equal(other[name])]


def of(event: str, records: list[Record]) -> list[Record]:
    return [record for record in records if record.event == event]


# ── the reference ─────────────────────────────────────────────────────────────────────────────────────────────────


def plain_optimizer(
    model: nn.Module, config: TrainConfig, steps: int
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    """The optimiser and schedule as a tutorial writes them."""
    decay = config.weight_decay
    if config.optimizer == "sgd":
        optimizer: torch.optim.Optimizer = torch.optim.SGD(
            model.parameters(), config.lr, config.momentum, weight_decay=decay, nesterov=config.nesterov
        )
    else:
        kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[config.optimizer]
        optimizer = kind(model.parameters(), lr=config.lr, weight_decay=decay)
    if config.schedule == "one_cycle":
        rise = max(2, round(config.warmup_epochs * steps / config.epochs)) / steps if config.warmup_epochs else 0.3
        return optimizer, torch.optim.lr_scheduler.OneCycleLR(
            optimizer, config.lr, steps, pct_start=rise, cycle_momentum=False
        )
    assert config.schedule == "constant"
    return optimizer, torch.optim.lr_scheduler.ConstantLR(optimizer, 1.0)


@pytest.mark.parametrize("name", recipes.RECIPES)
def test_the_first_steps_equal_a_plain_pytorch_loop(name, grey_squares, colour_squares):
    dataset = colour_squares if "cifar" in name else grey_squares
    short = {"device": "cpu", "precision": "float32", "epochs": 2, "dataset": "digits"}
    recipe = recipes.get(name).config
    config = adapt(recipe, {**short, "batch_size": min(96, recipe.batch_size)})
    train, scaling = dataset.splits(config).train, scaling_of(config, dataset)
    batches = [batch for epoch in (1, 2) for batch in epoch_batches(train, config, epoch, scaling)]
    state = new_state(config, dataset)
    model = copy.deepcopy(state.model).to(memory_format=torch.contiguous_format)
    optimizer, schedule = plain_optimizer(model, config, len(batches))
    for layer in [*model.modules(), *state.model.modules()]:
        if isinstance(layer, nn.Dropout):
            layer.p = 0.0  # its dice are the engine's own affair

    losses, accuracies = [], []
    model.train()
    for batch in batches:
        outputs = model(batch.inputs)
        loss = nn.CrossEntropyLoss(label_smoothing=config.label_smoothing)(outputs, batch.labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        accuracies.append((outputs.argmax(1) == batch.labels).float().mean().item())

    steps = of("step", list(fit(state, dataset, config)))
    assert len(losses) > 2
    assert [s.values["train/loss"] for s in steps] == pytest.approx(losses, rel=1e-4)
    assert [s.values["train/accuracy"] for s in steps] == pytest.approx(accuracies, abs=1e-6)
    for ours, theirs in zip(state.model.parameters(), model.parameters(), strict=True):
        apart = ~torch.isclose(ours, theirs, rtol=1e-4, atol=1e-6)
        assert apart.float().mean() < 1e-4  # Adam enlarges a gradient that is rounding alone: some tens in a million
        assert (ours - theirs).abs().max() < 0.1 * config.lr


def test_the_gradients_norm_is_recorded_and_clipped(grey_squares):
    config = small(optimizer="sgd", lr=0.1, epochs=1)
    clipped = small(optimizer="sgd", lr=0.1, epochs=1, grad_clip=0.01)
    state = new_state(config, grey_squares)
    batch = next(iter(epoch_batches(grey_squares.splits(config).train, config, 1, scaling_of(config, grey_squares))))
    model = copy.deepcopy(state.model)
    cross_entropy(model(batch.inputs), batch.labels).backward()
    norm = torch.cat([p.grad.flatten() for p in model.parameters()]).norm().item()
    assert of("step", list(fit(state, grey_squares, config)))[0].values["grad_norm"] == pytest.approx(norm, rel=1e-4)

    state = new_state(clipped, grey_squares)
    before = torch.cat([p.detach().flatten() for p in state.model.parameters()])
    step = next(fit(state, grey_squares, clipped))
    moved = torch.cat([p.detach().flatten() for p in state.model.parameters()]) - before
    assert step.values["grad_norm"] == pytest.approx(norm, rel=1e-4)  # before it was clipped
    assert moved.norm().item() == pytest.approx(0.1 * 0.01, rel=1e-3)


# ── the same again ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("optimiser", OPTIMISERS, ids=str)
def test_the_same_seed_gives_the_same_weights_bit_for_bit(optimiser, grey_squares):
    config = parse(DEMANDING | optimiser)
    first, records = trained(config, grey_squares)
    torch.manual_seed(4711)
    torch.rand(3)
    second, again = trained(config, grey_squares)
    assert_same_weights(weights(first), weights(second))
    assert [r.values["train/loss"] for r in of("step", records)] == [r.values["train/loss"] for r in of("step", again)]
    other, _ = trained(parse(DEMANDING | optimiser | {"seed": 1}), grey_squares)
    assert not weights(first)["0.weight"].equal(weights(other)["0.weight"])


@pytest.mark.parametrize("optimiser", OPTIMISERS, ids=str)
@pytest.mark.parametrize("stop_at", [1, 7, 14, 20])  # an epoch has 14 steps
def test_a_run_stopped_at_any_step_goes_on_exactly(optimiser, stop_at, grey_squares, tmp_path):
    config = parse(DEMANDING | optimiser)
    whole, records = trained(config, grey_squares)

    stopped = new_state(config, grey_squares)
    begun = list(fit(stopped, grey_squares, config, lambda: stopped.step == stop_at))
    assert begun[-1].values["status"] == "stopped" and begun[-1].step == stop_at
    save_checkpoint(tmp_path / "last", stopped, grey_squares, config, optimizer=True)
    resumed = new_state(config, grey_squares)
    restore(resumed, read_checkpoint(tmp_path / "last"))
    rest = list(fit(resumed, grey_squares, config))

    assert_same_weights(weights(whole), weights(resumed))
    joined = [r for r in begun + rest if r.event != "end"]
    assert [(r.event, r.step, r.epoch) for r in joined] == [(r.event, r.step, r.epoch) for r in records[:-1]]
    timings = {"seconds", "elapsed", "images_per_second"}
    for one, other in zip(joined, records, strict=False):
        assert {k: v for k, v in one.values.items() if k not in timings} == {
            k: v for k, v in other.values.items() if k not in timings
        }


def test_evaluating_does_not_change_what_is_learnt(grey_squares):
    quiet, _ = trained(small(model="tiny_resnet", dropout=0.2), grey_squares)
    watched, _ = trained(small(model="tiny_resnet", dropout=0.2, eval_every=2, watch_test=True), grey_squares)
    assert_same_weights(weights(quiet), weights(watched))


# ── records ───────────────────────────────────────────────────────────────────────────────────────────────────────

STEP_KEYS = {"train/loss", "train/accuracy", "lr", "grad_norm", "images_per_second"}
EPOCH_KEYS = {"train/loss", "train/accuracy", "lr", "seconds", "images_per_second", "elapsed"}
BEST_KEYS = {"best/epoch", "best/loss", "best/accuracy"}


def scores_of(name: str) -> set[str]:
    return {f"{name}/{key}" for key in ("loss", "accuracy", "class_accuracy", "count")}


@pytest.mark.parametrize(
    ("values", "watched"),
    [
        ({}, scores_of("val") | BEST_KEYS),
        ({"watch_test": True}, scores_of("val") | scores_of("test") | BEST_KEYS),
        ({"validation_fraction": 0, "watch_test": True}, scores_of("test")),
        ({"validation_fraction": 0}, set()),
    ],
    ids=["val", "val and test", "test", "neither"],
)
def test_records_have_exactly_their_keys(values, watched, grey_squares):
    _, records = trained(small(**values, eval_every=4), grey_squares)
    assert all(set(r.values) == STEP_KEYS for r in of("step", records))
    assert all(set(r.values) == watched - BEST_KEYS for r in of("eval", records))
    assert all(set(r.values) == EPOCH_KEYS | watched for r in of("epoch", records))
    assert [set(r.values) for r in of("end", records)] == [{"status", "message", "elapsed"}]


def test_records_come_in_order_each_step_once(grey_squares):
    _, records = trained(small(eval_every=3), grey_squares)  # 216 images: 7 steps an epoch
    assert [r.step for r in of("step", records)] == list(range(1, 15))
    assert [r.epoch for r in of("step", records)] == [1] * 7 + [2] * 7
    assert [(r.step, r.epoch) for r in of("eval", records)] == [(3, 1), (6, 1), (9, 2), (12, 2)]
    assert [(r.step, r.epoch) for r in of("epoch", records)] == [(7, 1), (14, 2)]
    assert records[-1].event == "end" and records[-1].values["status"] == "finished"
    assert [r.step for r in records] == sorted(r.step for r in records)


def test_an_epochs_figures_are_means_over_images(grey_squares):
    config = small(epochs=1, batch_size=100, validation_fraction=0)  # batches of 100, 100 and 40
    _, records = trained(config, grey_squares)
    sizes = (100, 100, 40)
    for key in ("train/loss", "train/accuracy"):
        mean = sum(n * s.values[key] for n, s in zip(sizes, of("step", records), strict=True)) / 240
        assert of("epoch", records)[0].values[key] == pytest.approx(mean)


def test_an_epochs_seconds_are_those_of_its_steps_alone(grey_squares, monkeypatch):
    clock = [0.0]
    score = engine._scores

    def tick() -> float:
        clock[0] += 0.001
        return clock[0]

    def slowly(*given: object) -> dict[str, object]:
        clock[0] += 1000
        return score(*given)

    monkeypatch.setattr(engine, "time", SimpleNamespace(perf_counter=tick))
    monkeypatch.setattr(engine, "_scores", slowly)
    records = trained(small(model="mlp", eval_every=1), grey_squares)[1]
    assert len(of("eval", records)) > 4
    assert all(epoch.values["seconds"] < 1 for epoch in of("epoch", records))
    assert records[-1].values["elapsed"] > 1000 * len(of("eval", records))


def test_of_larger_pictures_fewer_are_asked_for_at_a_time():
    asked = []

    class Spy(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))

        def forward(self, images):
            asked.append(len(images))
            return images.mean((1, 2, 3))[:, None].expand(-1, 2)

    for count, side in ((1001, 32), (5, 512)):
        images = torch.full((count, 1, side, side), 7, dtype=torch.uint8)
        assert infer(Spy(), images, TrainConfig(), Scaling((0.0,), (1.0,))).shape == (count, 2)
    assert asked == [1000, 1, 3, 2]


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_network_answers_in_the_precision_in_which_it_learns(precision):
    network, heard = nn.Sequential(nn.Flatten(), nn.Linear(4, 2)), []
    network[1].register_forward_hook(lambda layer, inputs, output: heard.append(output.dtype))
    images = torch.zeros(3, 1, 2, 2, dtype=torch.uint8)
    logits = infer(network, images, TrainConfig(precision=precision), Scaling((0.0,), (1.0,)))
    assert heard == [getattr(torch, precision)] and logits.dtype == torch.float32


def test_an_evaluation_is_on_all_images_at_an_epochs_end_and_on_the_first_in_between(grey_squares):
    config = small(eval_every=4, eval_images=10, watch_test=True)
    state, records = trained(config, grey_squares)
    splits = grey_squares.splits(config)
    for record in of("eval", records):
        assert (record.values["val/count"], record.values["test/count"]) == (10, 10)
    last = of("epoch", records)[-1].values
    for name, part in (("val", splits.val), ("test", splits.test)):
        logits = infer(state.model, part.images, config, scaling_of(config, grey_squares))
        right = logits.argmax(1) == part.labels
        assert last[f"{name}/count"] == len(part)
        assert last[f"{name}/loss"] == pytest.approx(cross_entropy(logits, part.labels).item(), rel=1e-5)
        assert last[f"{name}/accuracy"] == pytest.approx(right.double().mean().item())
        shares = [right[part.labels == c].double().mean().item() for c in range(10)]
        assert last[f"{name}/class_accuracy"] == pytest.approx(shares)


def test_validation_loss_knows_no_label_smoothing_and_no_augmentation(grey_squares):
    config = small(label_smoothing=0.3, augment_erase=14, epochs=1)
    state, records = trained(config, grey_squares)
    val = grey_squares.splits(config).val
    model = state.model.eval()
    plain = cross_entropy(model(scaling_of(config, grey_squares)(val.images[:])), val.labels).item()
    assert of("epoch", records)[0].values["val/loss"] == pytest.approx(plain, rel=1e-5)


def test_the_rate_on_record_is_the_rate_of_that_step(grey_squares):
    _, records = trained(small(schedule="step", step_epochs=1, step_gamma=0.5, lr=0.004), grey_squares)
    assert [s.values["lr"] for s in of("step", records)] == [0.004] * 7 + [0.002] * 7
    assert [e.values["lr"] for e in of("epoch", records)] == [0.004, 0.002]


# ── what is chosen, and when it ends ──────────────────────────────────────────────────────────────────────────────


def test_best_is_the_epoch_of_the_lowest_validation_loss(grey_squares):
    _, records = trained(small(epochs=6, lr=0.02, watch_test=True), grey_squares)
    epochs = of("epoch", records)
    for number, record in enumerate(epochs, start=1):
        chosen = min(epochs[:number], key=lambda r: r.values["val/loss"])
        assert record.values["best/epoch"] == chosen.epoch
        assert record.values["best/loss"] == chosen.values["val/loss"]
        assert record.values["best/accuracy"] == chosen.values["val/accuracy"]


def test_the_test_images_have_no_say_in_what_is_chosen(grey_squares, colour_squares):
    from dataclasses import replace

    config = small(epochs=4, lr=0.02, watch_test=True)
    nonsense = replace(grey_squares.test, labels=(grey_squares.test.labels + 1) % 10)
    plain, records = trained(config, grey_squares)
    fooled, others = trained(config, replace(grey_squares, test=nonsense))
    assert of("epoch", records)[-1].values["test/loss"] != of("epoch", others)[-1].values["test/loss"]
    assert (plain.best_epoch, plain.best_loss) == (fooled.best_epoch, fooled.best_loss)
    assert_same_weights(weights(plain), weights(fooled))


def test_no_test_image_is_trained_on(grey_squares):
    from dataclasses import replace

    blank = replace(grey_squares.test, images=torch.zeros_like(grey_squares.test.images))
    one, _ = trained(small(validation_fraction=0), grey_squares)
    other, _ = trained(small(validation_fraction=0), replace(grey_squares, test=blank))
    assert_same_weights(weights(one), weights(other))


@pytest.fixture
def hopeless() -> TrainConfig:
    """Its validation loss rises: the labels are smoothed almost to noise and the rate is far too high."""
    return small(epochs=50, optimizer="sgd", lr=0.5, early_stopping=2)


def test_early_stopping_ends_after_so_many_epochs_without_a_lower_validation_loss(hopeless, grey_squares):
    _, records = trained(hopeless, grey_squares)
    epochs = of("epoch", records)
    assert len(epochs) < 50 and epochs[-1].values["best/epoch"] == len(epochs) - 2
    assert records[-1].values["status"] == "finished"
    assert records[-1].values["message"] == "Early stop: no lower validation loss for 2 epochs."


def test_early_stopping_is_refused_where_the_fraction_leaves_no_validation_image(hopeless, grey_squares):
    few = hopeless.model_copy(update={"validation_fraction": 0.001})
    assert len(grey_squares.splits(few).val) == 0
    with pytest.raises(ConfigError, match="early_stopping needs validation images"):
        check(few, grey_squares)


@pytest.mark.parametrize("values", [{"batch_size": 1}, {"train_images": 1}])
def test_one_image_at_a_time_is_refused_where_a_batch_norm_would_see_one_value(values, grey_squares):
    blocks = [{"pool_size": 4}, {"kernel": 7, "padding": 0, "pool": "none"}]
    config = small(model="custom", blocks=blocks, hidden=[], **values)
    for dataset in (grey_squares, None):
        with pytest.raises(ModelError, match=r"custom cannot learn from one image of 28×28 pixels at a time"):
            check(config, dataset)
    check(config.model_copy(update={"batch_size": 2, "train_images": 2}), grey_squares)
    check(small(**values), grey_squares)


def test_a_run_cut_off_after_its_last_epoch_before_an_early_stop_trains_no_further(hopeless, grey_squares, tmp_path):
    whole, records = trained(hopeless, grey_squares)
    save_checkpoint(tmp_path / "last", whole, grey_squares, hopeless, optimizer=True)
    resumed = new_state(hopeless, grey_squares)
    restore(resumed, read_checkpoint(tmp_path / "last"))
    (end,) = fit(resumed, grey_squares, hopeless)
    assert (end.event, end.step, end.values["message"]) == ("end", records[-1].step, records[-1].values["message"])


def test_a_loss_that_is_not_finite_is_named_with_its_step_and_what_to_try(grey_squares):
    config = small(model="conv_module", optimizer="sgd", lr=100.0, epochs=20)
    records: list[Record] = []
    with pytest.raises(NotFinite) as caught:
        for record in fit(new_state(config, grey_squares), grey_squares, config):
            records.append(record)
    step = records[-1].step
    where = (f"train/loss at step {step + 1} is ", f"val/loss after step {step} is ")
    assert any(place in str(caught.value) for place in where)
    assert "Try a lower learning rate (it was 100), a warm-up, or gradient clipping." in str(caught.value)
    assert all(math.isfinite(value) for r in records for name, value in r.values.items() if name.endswith("/loss"))


def test_a_run_whose_last_step_blows_up_has_not_finished(grey_squares):
    wild = small(epochs=1, batch_size=1000, optimizer="sgd").model_copy(update={"lr": 1e30})
    with pytest.raises(NotFinite, match=r"val/loss after step 1 is (nan|inf): training has blown up"):
        trained(wild, grey_squares)


# ── precision, devices, and that it learns ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("loss", [math.inf, -math.inf, math.nan])
def test_no_loss_that_is_not_finite_passes(loss):
    engine._refuse_blown_up(1e30, "train/loss at step 7", 0.1)
    with pytest.raises(NotFinite, match=f"train/loss at step 7 is {loss}: training has blown up"):
        engine._refuse_blown_up(loss, "train/loss at step 7", 0.1)


def test_bfloat16_learns_with_weights_in_float32(grey_squares):
    state, records = trained(small(precision="bfloat16", epochs=8), grey_squares)
    assert {p.dtype for p in state.model.parameters()} == {torch.float32}
    losses = [e.values["train/loss"] for e in of("epoch", records)]
    assert losses[-1] < 0.5 * losses[0]
    exact, _ = trained(small(epochs=8), grey_squares)
    assert not weights(exact)["0.weight"].equal(weights(state)["0.weight"])


def test_a_device_that_is_not_here_is_refused_with_those_that_are():
    missing = next(n for n in ("cuda", "mps") if pick_device("auto").type != n)
    with pytest.raises(ValueError, match=rf"device = {missing} is not on this machine.*: give cpu.* or auto\.$"):
        pick_device(missing)
    assert pick_device("cpu").type == "cpu"


def test_several_processes_ask_for_each_other_before_they_wait_for_a_gpu(monkeypatch, grey_squares):
    order: list[str] = []
    fetch = engine._Pending.fetch
    monkeypatch.setattr(engine, "together", lambda: True)
    monkeypatch.setattr(engine, "any_of", lambda wish: order.append("ask") or wish)
    monkeypatch.setattr(engine._Pending, "fetch", lambda pending: order.append("fetch") or fetch(pending))
    trained(small(batch_size=10, eval_every=7), grey_squares)
    assert order == ["ask", "fetch"] * (len(order) // 2) and len(order) > 10  # else they wait for one that is gone


@pytest.mark.parametrize("model", ["simple_cnn", "cnn_5x5", "conv_module", "mlp", "lenet5", "tiny_resnet", "custom"])
def test_every_small_network_learns(model, grey_squares):
    _, records = trained(small(model=model, epochs=8, optimizer="adam", lr=0.002, batch_size=16), grey_squares)
    assert of("epoch", records)[-1].values["val/accuracy"] > 0.9


def test_a_last_batch_of_one_image_harms_nothing(grey_squares):
    config = small(model="tiny_resnet", train_images=33, batch_size=32, epochs=1)
    _, records = trained(config, grey_squares)
    assert len(of("step", records)) == 1


@pytest.mark.skipif(not shutil.which("g++"), reason="torch.compile needs a C++ compiler on a CPU")
@pytest.mark.filterwarnings("ignore:.torch.jit.script_method:DeprecationWarning")  # torch 2.11's own import
def test_a_compiled_network_learns_the_same(grey_squares):
    config = small(batch_size=50, epochs=1)  # and a last batch of another size
    plain, compiled = (trained(c, grey_squares)[1] for c in (config, config.model_copy(update={"compile": True})))
    losses = [[record.values["train/loss"] for record in of("step", records)] for records in (plain, compiled)]
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)
