"""The networks: exact layers, exact counts, any image size, errors that name the layer."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torchvision.models import resnet18, vgg16

from cnnlab import models
from cnnlab.config import ConvBlock, TrainConfig
from cnnlab.models import MODELS, ModelError, build, count_parameters, faster, multiply_adds, outline
from cnnlab.models.custom import trace_sizes
from cnnlab.parsing import parse
from cnnlab.registry import UnknownName

COUNTS = {
    ("simple_cnn", 1, 28): 20_490,
    ("cnn_5x5", 1, 28): 28_938,
    ("conv_module", 1, 28): 3_761_034,
    ("mlp", 1, 28): 218_058,
    ("cifar_cnn", 3, 32): 230_594,
    ("lenet5", 1, 28): 61_706,
    ("lenet5", 1, 32): 61_706,
}

LAYERS = {
    "simple_cnn": "conv 1→16 k3 s1 p1, relu, maxpool 2, conv 16→32 k3 s1 p1, relu, maxpool 2, flatten, linear 1568→10",
    "cnn_5x5": "conv 1→16 k5 s1 p2, relu, maxpool 2, conv 16→32 k5 s1 p2, relu, maxpool 2, flatten, linear 1568→10",
    "conv_module": "conv 1→32 k3 s1 p1, maxpool 2, relu, conv 32→64 k3 s1 p1, maxpool 2, relu, flatten, "
    "linear 3136→1024, relu, linear 1024→512, relu, linear 512→10",
    "mlp": "flatten, linear 784→256, relu, dropout 0.2, linear 256→64, relu, dropout 0.2, linear 64→10",
    "cifar_cnn": "conv 3→16 k3 s1 p1, relu, maxpool 2, conv 16→32 k3 s1 p1, relu, maxpool 2, "
    "conv 32→64 k3 s1 p1, relu, maxpool 2, flatten, dropout 0.2, linear 1024→200, relu, dropout 0.2, linear 200→10",
    "lenet5": "conv 1→6 k5 s1 p2, tanh, avgpool 2, conv 6→16 k5 s1 p0, tanh, avgpool 2, flatten, "
    "linear 400→120, tanh, linear 120→84, tanh, linear 84→10",
}


def spelled(layer: nn.Module) -> str:
    match layer:
        case nn.Conv2d():
            (k, _), (s, _), (p, _) = layer.kernel_size, layer.stride, layer.padding
            return f"conv {layer.in_channels}→{layer.out_channels} k{k} s{s} p{p}"
        case nn.Linear():
            return f"linear {layer.in_features}→{layer.out_features}"
        case nn.MaxPool2d() | nn.AvgPool2d():
            return f"{type(layer).__name__[:-2].lower()} {layer.kernel_size}"
        case nn.Dropout():
            return f"dropout {layer.p}"
    return type(layer).__name__.lower()


@pytest.mark.parametrize(("name", "channels", "size"), COUNTS)
def test_parameters_are_as_published(name, channels, size):
    assert count_parameters(outline(TrainConfig(model=name), channels, size, 10)) == COUNTS[name, channels, size]


@pytest.mark.parametrize("name", LAYERS)
def test_layers_come_in_the_published_order(name):
    channels, size = (3, 32) if name == "cifar_cnn" else (1, 28)
    assert ", ".join(map(spelled, outline(TrainConfig(model=name), channels, size, 10))) == LAYERS[name]


@pytest.mark.parametrize("reference", [vgg16, resnet18], ids=lambda builder: builder.__name__)
def test_a_classic_at_its_own_image_size_is_torchvisions(reference):
    ours = outline(TrainConfig(model=reference.__name__), 3, 224, 1000)
    with torch.device("meta"):
        theirs = reference(num_classes=1000)
    assert {n: p.shape for n, p in ours.named_parameters()} == {n: p.shape for n, p in theirs.named_parameters()}


def test_vgg16_has_its_blocks_and_three_linear_layers():
    network = outline(TrainConfig(model="vgg16"), 1, 28, 10)
    letters = "".join({nn.Conv2d: "c", nn.MaxPool2d: "p", nn.Linear: "F"}.get(type(m), "") for m in network.modules())
    assert letters == "ccpccpcccpcccpcccpFFF"
    assert [m.out_features for m in network.modules() if isinstance(m, nn.Linear)] == [4096, 4096, 10]


@pytest.mark.parametrize("shape", [(1, 28, 10), (3, 32, 10), (3, 32, 100), (3, 64, 7), (1, 33, 2)], ids=str)
@pytest.mark.parametrize("name", MODELS)
def test_any_network_runs_on_any_images(name, shape):
    channels, size, classes = shape
    network = outline(TrainConfig(model=name), channels, size, classes).eval()
    assert network(torch.empty(2, channels, size, size, device="meta")).shape == (2, classes)


@pytest.mark.parametrize("name", [n for n in MODELS if n != "vgg16"])  # 134 M weights; the meta device has run it
def test_any_network_gives_finite_logits_and_gradients(name):
    torch.manual_seed(0)
    network = build(TrainConfig(model=name), 1, 28, 10)
    logits = network(torch.rand(2, 1, 28, 28))
    logits.sum().backward()
    assert logits.isfinite().all()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


@pytest.mark.parametrize("name", MODELS)
def test_images_too_small_are_refused_in_a_sentence_or_run(name):
    for size in range(1, 16):
        config = TrainConfig(model=name)
        try:
            network = outline(config, 1, size, 10).eval()
        except ModelError as error:
            assert f"{size}×{size}" in str(error) and str(error).endswith(".")
        else:
            assert network(torch.empty(2, 1, size, size, device="meta")).shape == (2, 10)


def test_an_unknown_network_is_answered_with_the_known_ones():
    with pytest.raises(UnknownName, match=r"Unknown network 'lenet'. Available: .*lenet5"):
        build(TrainConfig(model="lenet"), 1, 28, 10)


def test_the_same_seed_draws_the_same_weights():
    def weights(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        return torch.cat([p.flatten() for p in build(TrainConfig(model="tiny_resnet"), 1, 28, 10).parameters()])

    assert weights(1).equal(weights(1)) and not weights(1).equal(weights(2))


def test_multiply_adds_are_those_of_the_layers():
    network = outline(TrainConfig(model="simple_cnn"), 1, 28, 10)
    first, second, linear = 28 * 28 * 16 * 9, 14 * 14 * 32 * 16 * 9, 1568 * 10
    assert multiply_adds(network, 1, 28) == first + second + linear
    assert multiply_adds(outline(TrainConfig(model="mlp"), 1, 28, 10), 1, 28) == 784 * 256 + 256 * 64 + 64 * 10


def test_fast_cnn_has_little_to_do():
    fast, tutorials = (outline(TrainConfig(model=name), 3, 32, 10) for name in ("fast_cnn", "cifar_cnn"))
    assert count_parameters(fast) < 200_000
    assert multiply_adds(fast, 3, 32) < 1.6 * multiply_adds(tutorials, 3, 32)


def test_tiny_resnet_is_small_and_takes_shortcuts():
    network = build(TrainConfig(model="tiny_resnet"), 3, 32, 10).eval()
    assert count_parameters(network) < 200_000
    block = next(m for m in network.modules() if type(m).__name__ == "ResidualBlock")
    for parameter in block.parameters():
        nn.init.zeros_(parameter)
    image = torch.rand(1, 32, 7, 7)
    assert block(image).equal(image)  # with the block's weights at 0 only the shortcut is left


def test_resnet18_keeps_small_images_large():
    small, large = (outline(TrainConfig(model="resnet18"), 3, size, 10) for size in (32, 96))
    assert (small.conv1.kernel_size, small.conv1.stride) == ((3, 3), (1, 1)) and isinstance(small.maxpool, nn.Identity)
    assert (large.conv1.kernel_size, large.conv1.stride) == ((7, 7), (2, 2))


# ── the custom network ────────────────────────────────────────────────────────────────────────────────────────────


def custom(blocks: list[dict[str, object]], **options: object) -> TrainConfig:
    return parse({"model": "custom", "blocks": blocks, **options})


def test_custom_blocks_become_layers_in_order():
    config = custom(
        [
            {"channels": 8, "kernel": 5, "stride": 2, "padding": 2, "activation": "gelu", "pool": "avg"},
            {"channels": 4, "batch_norm": False, "activation": "none", "pool": "none"},
        ],
        hidden=[20, 10],
        dropout=0.4,
    )
    assert ", ".join(map(spelled, outline(config, 1, 28, 3))) == (
        "conv 1→8 k5 s2 p2, batchnorm2d, gelu, avgpool 2, conv 8→4 k3 s1 p1, flatten, "
        "linear 196→20, relu, dropout 0.4, linear 20→10, relu, dropout 0.4, linear 10→3"
    )


def test_a_custom_network_needs_neither_blocks_nor_hidden_layers():
    assert ", ".join(map(spelled, outline(custom([], hidden=[]), 1, 8, 3))) == "flatten, linear 64→3"


@pytest.mark.parametrize(
    ("blocks", "sentence"),
    [
        (
            [{"padding": 0}, {"padding": 0}, {"padding": 0}, {"kernel": 5, "padding": 0}],
            "The picture vanishes in the convolution of block 4: 28×28 → 13×13 → 5×5 → 1×1, and a kernel of 5×5 does "
            "not fit into 1×1 (padding included). Use a kernel of at most 1, or pool less before.",
        ),
        (
            [{"pool_size": 4}, {"pool_size": 8}],
            "The picture vanishes in the pooling of block 2: 28×28 → 7×7 → 7×7 after its convolution, and a pool of "
            "8×8 leaves nothing. Set its pool to none, or pool less before.",
        ),
    ],
)
def test_a_picture_that_vanishes_is_named_by_its_layer_and_the_sizes_that_led_there(blocks, sentence):
    with pytest.raises(ModelError) as caught:
        outline(custom(blocks), 1, 28, 10)
    assert str(caught.value) == sentence


def test_sizes_follow_the_formula():
    one = {"pool": "none", "kernel": 3, "padding": 0}
    assert trace_sizes(custom([one]).blocks, 7) == [7, 5]
    assert trace_sizes(custom([one | {"stride": 2}]).blocks, 7) == [7, 3]
    assert trace_sizes(custom([one | {"kernel": 5, "padding": 2}]).blocks, 32) == [32, 32]
    assert trace_sizes(custom([one | {"kernel": 5}, one | {"kernel": 5}]).blocks, 32) == [32, 28, 24]


any_block = st.builds(
    ConvBlock,
    channels=st.integers(1, 4),
    kernel=st.integers(1, 11),
    stride=st.integers(1, 4),
    padding=st.integers(0, 5),
    batch_norm=st.booleans(),
    activation=st.sampled_from(["relu", "leaky_relu", "gelu", "tanh", "none"]),
    pool=st.sampled_from(["none", "max", "avg"]),
    pool_size=st.integers(1, 8),
)


@settings(max_examples=150, deadline=None)
@given(blocks=st.lists(any_block, max_size=4).map(tuple), size=st.integers(8, 64))
def test_the_sizes_that_are_foretold_are_those_of_the_real_network(blocks, size):
    config = TrainConfig(model="custom", blocks=blocks, hidden=())
    image = torch.empty(2, 1, size, size, device="meta")
    try:
        foretold = trace_sizes(blocks, size)
    except ModelError as error:
        number = int(str(error).split("block ")[1].split(":")[0])
        before = TrainConfig(model="custom", blocks=blocks[: number - 1])
        assert trace_sizes(before.blocks, size)  # all before that block is fine …
        with pytest.raises(RuntimeError):  # … and torch cannot do that block either
            for layer in models.custom._block_layers(blocks[number - 1].model_copy(update={"channels": 1}), 1):
                side = trace_sizes(before.blocks, size)[-1]
                image = layer.to("meta")(image[:, :1, :side, :side] if isinstance(layer, nn.Conv2d) else image)
        return
    network = outline(config, 1, size, 10)
    sides = [size]
    for layer in network:
        if isinstance(layer, nn.Conv2d):
            sides.append(0)
        if not isinstance(layer, nn.Flatten | nn.Linear):
            image = layer(image)
            sides[-1] = image.shape[-1]
    assert sides == foretold and network(torch.empty(2, 1, size, size, device="meta")).shape == (2, 10)


def gradients(network: nn.Module, inputs: torch.Tensor) -> list[torch.Tensor]:
    torch.manual_seed(1)  # dropout
    answers = network(inputs)
    answers.square().mean().backward()
    found = [answers.detach(), *(p.grad for p in network.parameters())]
    network.zero_grad()
    return found


@pytest.mark.parametrize("name", ["simple_cnn", "cifar_cnn", "tiny_resnet", "vgg16", "custom"])
def test_pooling_before_relu_changes_neither_answers_nor_gradients_by_a_bit(name, monkeypatch):
    monkeypatch.setattr(faster, "LARGE", math.inf)
    blocks = [{"channels": 4, "kernel": 3, "padding": 1, "batch_norm": True, "activation": "relu", "pool": "max"}]
    network = build(parse({"model": name} | ({"blocks": blocks} if name == "custom" else {})), 1, 32, 10)
    pooled, trained = models.pooled_first(network), models.for_training(network)
    assert (pooled is network) == (name == "tiny_resnet")  # which pools first already
    assert {id(p) for p in pooled.parameters()} == {id(p) for p in network.parameters()}
    inputs = torch.randint(2, (4, 1, 32, 32)).float()  # windows with equal values, and windows without any light
    expected = gradients(network, inputs)
    for twin in (pooled, trained):
        for one, other in zip(expected, gradients(twin, inputs), strict=True):
            assert torch.equal(one, other)


def test_large_linear_layers_by_onednn_answer_the_same_to_rounding(monkeypatch):
    monkeypatch.setattr(faster, "_onednn_is_faster", lambda: True)  # wherever this test runs
    network = nn.Sequential(nn.Flatten(), nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 10))
    inputs = torch.rand(64, 1, 28, 28)
    trained = models.for_training(network)
    assert {id(p) for p in trained.parameters()} == {id(p) for p in network.parameters()}
    seen, product = [], faster._product
    monkeypatch.setattr(faster, "_product", lambda rows, *rest: seen.append(rows.shape) or product(rows, *rest))
    expected, found = gradients(network, inputs), gradients(trained, inputs)
    assert seen == [(64, 784), (512, 64)]  # forward and the weight's gradient; the small layer goes the usual way
    for one, other in zip(expected, found, strict=True):
        torch.testing.assert_close(other, one, rtol=1e-4, atol=1e-6)
    with torch.inference_mode():
        torch.testing.assert_close(trained(inputs), network(inputs), rtol=1e-4, atol=1e-6)
    assert len(seen) == 3


@pytest.mark.parametrize("bias", [True, False])
def test_the_inputs_of_a_large_linear_layer_get_their_gradient_too(bias, monkeypatch):
    monkeypatch.setattr(faster, "_onednn_is_faster", lambda: True)
    monkeypatch.setattr(faster, "LARGE", 0)
    network = nn.Sequential(nn.Linear(30, 20, bias=bias), nn.Linear(20, 10, bias=bias))
    inputs = torch.rand(8, 30, requires_grad=True)
    (expected,), (found,) = (
        torch.autograd.grad(net(inputs).square().sum(), inputs) for net in (network, models.for_training(network))
    )
    torch.testing.assert_close(found, expected)
    for one, other in zip(gradients(network, inputs), gradients(models.for_training(network), inputs), strict=True):
        torch.testing.assert_close(other, one)


@pytest.mark.parametrize("case", ["bfloat16", "float64"])
def test_what_onednn_does_not_take_goes_the_usual_way(case, monkeypatch):
    monkeypatch.setattr(faster, "_onednn_is_faster", lambda: True)
    network = nn.Linear(784, 512)
    trained, inputs = models.for_training(network), torch.rand(64, 784)
    if case == "float64":
        network.double()
        assert torch.equal(trained(inputs.double()), network(inputs.double()))
        return
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(trained(inputs), network(inputs)) and trained(inputs).dtype == torch.bfloat16


def test_pooling_goes_before_relu_and_nothing_else_moves():
    network = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Tanh(), nn.MaxPool2d(2), nn.ReLU(), nn.AvgPool2d(2)
    )
    kinds = [type(layer).__name__ for layer in models.pooled_first(network)]
    assert kinds == ["Conv2d", "MaxPool2d", "ReLU", "Tanh", "MaxPool2d", "ReLU", "AvgPool2d"]
    assert [type(layer).__name__ for layer in network][1:3] == ["ReLU", "MaxPool2d"]
