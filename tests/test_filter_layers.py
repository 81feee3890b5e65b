"""Chains and layers of filters against PyTorch and OpenCV, and the first layer of a trained run."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from cnnlab.checkpoints import CheckpointError, read_checkpoint, save_checkpoint
from cnnlab.config import TrainConfig
from cnnlab.datasets.base import ImageDataset
from cnnlab.engine import new_state
from cnnlab.explain.bank import Bank, Pooling, bank_of, first_layer, run_layer, similarity
from cnnlab.explain.chains import Step, gradient, run_chain
from cnnlab.explain.convolution import SettingsError
from cnnlab.explain.gallery_pictures import GALLERY, LARGEST, display_copy, gallery_picture, grey
from cnnlab.explain.kernels import parse_kernel
from cnnlab.explain.presets import FOUR, make_preset
from cnnlab.figures.feature_maps import Map, histogram_figure, maps_figure
from cnnlab.runs import Run, RunError

PICTURE = np.random.default_rng(0).integers(0, 256, (1, 28, 28), dtype=np.uint8)


@pytest.mark.parametrize("name", GALLERY.names())
def test_every_gallery_picture_is_drawn_and_the_same_each_time(name):
    pixels = gallery_picture(name)
    assert pixels.dtype == np.uint8 and pixels.shape[2] == 3 and max(pixels.shape) <= LARGEST
    assert (gallery_picture(name) == pixels).all() and len(np.unique(pixels)) > 1


def test_a_display_copy_keeps_the_shape_and_small_pictures():
    assert display_copy(np.zeros((3000, 4000, 3), np.uint8)).shape == (384, 512, 3)
    assert display_copy(np.zeros((9000, 3, 3), np.uint8)).shape == (512, 1, 3)
    small = np.zeros((512, 9, 3), np.uint8)
    assert display_copy(small) is small


def test_a_chain_is_opencv_s_filters_in_a_row():
    steps = [Step(make_preset("gaussian")), Step(make_preset("sobel_x"), absolute=True)]
    first, second = run_chain(PICTURE, steps, "reflect")
    blurred = cv2.filter2D(PICTURE[0].astype(np.float64), -1, make_preset("gaussian").weights[0])
    edges = np.abs(cv2.filter2D(blurred, -1, make_preset("sobel_x").weights[0]))
    assert np.allclose(first[0], blurred) and np.allclose(second[0], edges)


def test_the_order_of_a_chain_counts():
    blur, edge = Step(make_preset("gaussian")), Step(make_preset("sobel_x"), absolute=True)
    assert not np.allclose(run_chain(PICTURE, [blur, edge], "wrap")[-1], run_chain(PICTURE, [edge, blur], "wrap")[-1])


def test_a_gradient_points_to_where_it_gets_brighter():
    down = np.repeat(np.arange(9.0)[:, None] * 10, 9, axis=1)[None]
    for values, angle in ((down, 90), (-down, -90), (down.transpose(0, 2, 1), 0)):
        found = gradient(values, make_preset("sobel_x"), make_preset("sobel_y"), "replicate")
        assert found.direction[4, 4] == pytest.approx(angle) and found.magnitude[4, 4] == pytest.approx(80)


def test_a_layer_is_pytorch_s():
    bank = bank_of([make_preset(name) for name in FOUR])
    layer = run_layer(PICTURE, bank, Pooling("avg", 3, 2))
    network = nn.Sequential(nn.Conv2d(1, 4, 4), nn.ReLU(), nn.AvgPool2d(3, 2)).double()
    with torch.no_grad():
        network[0].weight.copy_(torch.from_numpy(bank.weights))
        network[0].bias.zero_()
        expected = network(torch.from_numpy(PICTURE / 255.0)[None])[0].numpy()
    assert np.allclose(layer.pooled, expected) and layer.shapes[-1] == (1, *expected.shape)
    assert layer.sums.min() < 0 <= layer.rectified.min()


def test_max_pooling_keeps_the_largest_of_each_window():
    layer = run_layer(PICTURE, bank_of([parse_kernel("1")]), Pooling())
    assert np.allclose(layer.pooled[0], PICTURE[0].reshape(14, 2, 14, 2).max((1, 3)) / 255)


@pytest.mark.parametrize(
    ("bank", "pooling", "sentence"),
    [
        (bank_of([make_preset("box")], channels=3), Pooling(), "made for 3 channels, and the picture has 1"),
        (bank_of([make_preset("box")]), Pooling(size=27), "is larger than the 26 pixels"),
        (bank_of([make_preset("box")]), Pooling(size=0), "A pooling window of 0 is not allowed"),
        (bank_of([make_preset("box")]), Pooling(stride=-1), "A pooling stride of -1 is not allowed"),
        (Bank(np.zeros((1, 1, 31, 31)), np.zeros(1), ("a",)), Pooling(), "31×31 weights"),
    ],
)
def test_a_layer_that_does_not_fit_is_one_sentence(bank, pooling, sentence):
    with pytest.raises(SettingsError, match=sentence):
        run_layer(PICTURE, bank, pooling)


def test_a_layer_without_filters_is_refused():
    with pytest.raises(SettingsError, match="at least one filter"):
        bank_of([])


def test_similarity_is_a_cosine():
    sobel, gauss = make_preset("sobel_x"), make_preset("gaussian")
    negative = parse_kernel("1,0,-1;2,0,-2;1,0,-1")
    alike = similarity(sobel, bank_of([sobel, negative, make_preset("sobel_y"), parse_kernel("0")]))
    assert np.allclose(alike, [1, -1, 0, 0])
    assert similarity(sobel, bank_of([sobel], channels=3))[0] == pytest.approx(1)
    assert similarity(gauss, bank_of([make_preset("box")]))[0] == pytest.approx(
        gauss.weights[0, 1:4, 1:4].sum() / 3 / np.linalg.norm(gauss.weights), abs=1e-5
    )


def saved_run(folder: Path, model: str, digits: ImageDataset) -> Run:
    """A run of fresh weights."""
    run, config = Run(folder / model), TrainConfig(dataset="digits", model=model)
    save_checkpoint(run.checkpoint_path("last"), new_state(config, digits), digits, config, optimizer=False)
    return run


@pytest.mark.parametrize("model", ["simple_cnn", "lenet5", "tiny_resnet"])
def test_the_first_layer_of_a_run_gives_what_its_network_computes(model, digits: ImageDataset, tmp_path):
    run = saved_run(tmp_path, model, digits)
    bank = first_layer(run)
    saved = read_checkpoint(run.checkpoint_path("last"))
    network = saved.network().double()
    convolution = next(part for part in network.modules() if isinstance(part, nn.Conv2d))
    images = digits.test.images[:1]
    scaled = (images.double() / 255 - saved.scaling.mean[0]) / saved.scaling.std[0]
    with torch.no_grad():
        expected = convolution(scaled)[0].numpy()
    assert np.allclose(run_layer(images[0].numpy(), bank, Pooling()).sums, expected)
    assert len(bank.names) == len(expected)


def test_a_run_without_a_convolution_or_without_weights_is_told(digits: ImageDataset, tmp_path):
    with pytest.raises(CheckpointError, match="mlp of mlp has no convolution"):
        first_layer(saved_run(tmp_path, "mlp", digits))
    with pytest.raises(RunError, match="has no checkpoint yet"):
        first_layer(Run(tmp_path / "young"))


def test_maps_are_drawn_to_scale():
    maps = [
        Map(np.ones((3, 3)), "Weights", "weights"),
        Map(np.zeros((10, 20)), "Large"),
        Map(np.zeros((5, 10)), "Small"),
    ]
    figure = maps_figure(maps, 3)
    assert figure.layout.xaxis3.range == (-0.5, 19.5) and figure.layout.yaxis3.range == (9.5, -0.5)
    assert figure.layout.xaxis.range == (-0.5, 2.5)
    assert list(figure.data[0].text[0]) == ["1", "1", "1"]


def test_signed_maps_are_symmetric_around_zero():
    figure = maps_figure([Map(np.array([[-3.0, 1.0]]), "a"), Map(np.array([[9.0]]), "b", "grey")], 2)
    assert (figure.data[0].zmin, figure.data[0].zmax) == (-3, 3)
    assert (figure.data[1].zmin, figure.data[1].zmax) == (0, 255)


def test_a_title_s_signs_are_no_tags_but_for_the_end_of_a_line():
    figure = maps_figure([Map(np.zeros((2, 2)), "<a href='x'>own</a><br>0 to 1")], 1)
    assert figure.layout.annotations[0].text == "&lt;a href='x'&gt;own&lt;/a&gt;<br>0 to 1"


def test_a_histogram_counts_every_value():
    assert sum(histogram_figure(np.arange(50.0), "value").data[0].y) == 50
    assert sum(histogram_figure(np.zeros((4, 4)), "value").data[0].y) == 16


def test_grey_is_the_weighted_sum_of_the_channels():
    pixels = gallery_picture("shapes")
    assert np.abs(grey(pixels) - pixels @ [0.299, 0.587, 0.114]).max() <= 1
