"""The lines of Python that give the picture on the page: with OpenCV and with PyTorch.

>>> from cnnlab.explain.kernels import make_kernel
>>> print(pytorch_code(make_kernel([[0, 1], [1, 0]]), Settings(padding="none"), (1, 9, 9)).splitlines()[-1])
result = F.conv2d(padded, kernel, stride=1, dilation=1)[0, 0].numpy()

Both read ``picture.png`` and leave ``result``, float64 [H', W'] or, where channels stay apart, [C, H', W'].
"""

from collections.abc import Callable, Sequence

from cnnlab.explain.chains import Step
from cnnlab.explain.convolution import PAD_MODES, Border, Settings
from cnnlab.explain.kernels import Kernel

OPENCV_BORDERS = {
    "zero": "BORDER_CONSTANT",
    "reflect": "BORDER_REFLECT_101",
    "replicate": "BORDER_REPLICATE",
    "wrap": "BORDER_WRAP",
}


def opencv_code(kernel: Kernel, settings: Settings, shape: tuple[int, int, int]) -> str:
    """The program with OpenCV for a picture of ``shape`` (C, H, W).

    ``filter2D`` knows neither stride nor dilation: the kernel is spread with zeros, and every place is computed and
    then some are taken.
    """
    channels, height, width = shape
    size, (before, after) = kernel.size, settings.pads(kernel.size)
    reach = settings.dilation * (size - 1) + 1
    ends = [length + before + after - reach + 1 for length in (height, width)]
    places = ", ".join(f":{end}:{settings.stride}" for end in ends)
    lines = ["import cv2", "import numpy as np", "", *_read_opencv(channels), _weights(kernel, channels)]
    if settings.convolution:
        lines.append("kernel = kernel[..., ::-1, ::-1]  # a convolution turns the kernel; filter2D does not")
    if settings.dilation > 1:
        d = settings.dilation
        lines += [
            f"spread = np.zeros(({'3, ' if channels == 3 else ''}{reach}, {reach}))",
            f"spread[..., ::{d}, ::{d}] = kernel  # {d - 1} zeros between the weights",
        ]
    name = "spread" if settings.dilation > 1 else "kernel"
    edges = f"{before}, {after}, {before}, {after}"
    lines.append(f"padded = cv2.copyMakeBorder(picture, {edges}, cv2.{OPENCV_BORDERS[settings.border]})")
    if channels == 1:
        lines.append(f"result = cv2.filter2D(padded, cv2.CV_64F, {name}, anchor=(0, 0))[{places}]")
    else:
        lines.append(
            f"each = [cv2.filter2D(padded[..., c], cv2.CV_64F, {name}[c], anchor=(0, 0))[{places}] for c in range(3)]"
        )
        lines.append("result = sum(each)" if settings.summed else "result = np.stack(each)")
    return "\n".join(lines + _finish(settings))


def pytorch_code(kernel: Kernel, settings: Settings, shape: tuple[int, int, int]) -> str:
    """The program with PyTorch for a picture of ``shape`` (C, H, W)."""
    channels = shape[0]
    before, after = settings.pads(kernel.size)
    apart = channels == 3 and not settings.summed
    lines = ["import cv2", "import numpy as np", "import torch", "import torch.nn.functional as F", ""]
    lines += [*_read_opencv(channels), _weights(kernel, channels)]
    planes = "picture.transpose(2, 0, 1)[None]" if channels == 3 else "picture[None, None]"
    index = "[:, None]" if apart else "[None]" if channels == 3 else "[None, None]"
    lines.append(f"kernel = torch.from_numpy(kernel){index}  # (filters, channels, rows, columns)")
    if settings.convolution:
        lines.append("kernel = kernel.flip(-2, -1)  # a convolution turns the kernel; conv2d does not")
    edges = f"({before}, {after}, {before}, {after})"
    lines.append(f'padded = F.pad(torch.from_numpy({planes}), {edges}, mode="{PAD_MODES[settings.border]}")')
    options = f"stride={settings.stride}, dilation={settings.dilation}" + (", groups=3" if apart else "")
    take = "[0].numpy()" if apart else "[0, 0].numpy()"
    lines.append(f"result = F.conv2d(padded, kernel, {options}){take}")
    return "\n".join(lines + _finish(settings))


def chain_code(
    write: Callable[[Kernel, Settings, tuple[int, int, int]], str],
    steps: Sequence[Step],
    border: Border,
    shape: tuple[int, int, int],
) -> str:
    """The program of ``steps``, at least one, by ``write`` (one of the above) for a grey picture of ``shape``."""
    first, *others = (write(step.kernel, step.settings(border), shape) for step in steps)
    (read,) = _read_opencv(1)
    return "\n\n".join([first, *(f"picture = result{code.partition(read)[2]}" for code in others)])


def _read_opencv(channels: int) -> list[str]:
    if channels == 1:
        return ['picture = cv2.imread("picture.png", cv2.IMREAD_GRAYSCALE).astype(np.float64)']
    return ['picture = cv2.imread("picture.png")[..., ::-1].astype(np.float64)  # OpenCV reads blue, green, red']


def _weights(kernel: Kernel, channels: int) -> str:
    """The kernel as an array [K, K], or [3, K, K] for colour."""

    def rows(plane: list[list[float]], indent: str) -> str:
        return f",\n{indent}".join("[" + ", ".join(f"{v:.10g}" for v in row) + "]" for row in plane)

    planes = kernel.weights.tolist()
    if channels == 1:
        return f"kernel = np.array([{rows(planes[0], ' ' * 19)}], dtype=np.float64)"
    if len(planes) == 1:
        return f"kernel = np.array([[{rows(planes[0], ' ' * 20)}]] * 3, dtype=np.float64)  # the same for R, G and B"
    parts = ",\n                   ".join(f"[{rows(plane, ' ' * 20)}]" for plane in planes)
    return f"kernel = np.array([{parts}], dtype=np.float64)"


def _finish(settings: Settings) -> list[str]:
    lines = [f"result = result + {settings.bias:g}  # bias"] if settings.bias else []
    lines += ["result = np.abs(result)"] if settings.absolute else []
    if settings.threshold is not None:
        lines.append(f"result = np.where(result > {settings.threshold:g}, 255.0, 0.0)")
    return lines
