"""Kernels that follow a formula, each float64 [size, size].

>>> box(3)[0, 0].round(4), gaussian(3, 1.0)[1, 1].round(4)
(np.float64(0.1111), np.float64(0.2042))
"""

import numpy as np

from cnnlab.explain.kernels import Weights


def _grid(size: float) -> tuple[Weights, Weights]:
    """Distances from the middle in pixels, (down, right), each [size, size]."""
    reach = np.arange(int(size)) - (int(size) - 1) / 2
    down, right = np.meshgrid(reach, reach, indexing="ij")
    return down, right


def box(size: float) -> Weights:
    """The mean of size×size pixels."""
    return np.full((int(size), int(size)), 1 / int(size) ** 2)


def gaussian(size: float, sigma: float) -> Weights:
    """exp(−r² / 2σ²), scaled to a sum of 1; σ in pixels."""
    down, right = _grid(size)
    bell = np.exp(-(down**2 + right**2) / (2 * sigma**2))
    even: Weights = bell / bell.sum()
    return even


def motion(size: float, angle: float) -> Weights:
    """A line through the middle; what lies between two pixels is shared among them."""
    down, right = _grid(size)
    turn = np.deg2rad(angle)
    across = np.abs(right * np.sin(turn) + down * np.cos(turn))
    along = np.abs(right * np.cos(turn) - down * np.sin(turn))
    line = np.clip(1 - across, 0, 1) * (along <= (size - 1) / 2 + 1e-9)
    even: Weights = line / line.sum()
    return even


def unsharp(size: float, sigma: float, amount: float) -> Weights:
    """The picture plus ``amount`` times what a Gaussian blur takes away."""
    sharp = -amount * gaussian(size, sigma)
    sharp[int(size) // 2, int(size) // 2] += 1 + amount
    return sharp


def gabor(size: float, angle: float, wavelength: float, sigma: float) -> Weights:
    """Daugman, 1985: a cosine wave below a Gaussian bell; its mean is taken off, so that even areas give 0."""
    down, right = _grid(size)
    turn = np.deg2rad(angle)
    along = right * np.cos(turn) - down * np.sin(turn)
    bell = np.exp(-(down**2 + right**2) / (2 * sigma**2))
    wave = bell * np.cos(2 * np.pi * along / wavelength)
    even: Weights = wave - bell * wave.sum() / bell.sum()
    return even
