"""The solver of mattes against its definition, solved exactly."""

import numpy as np
import pytest

from relight_assets.stages.masks.matting import closed_form
from relight_assets.stages.masks.matting.closed_form import solve, solve_with_models

SHAPE = (24, 30)
PULL = 0.05


@pytest.fixture
def image():
    """Noise of two colours whose share is known, the known parts left and right of a band."""
    random = np.random.Generator(np.random.Philox(7))
    x = np.linspace(-0.2, 1.2, SHAPE[1])
    alpha = np.clip(x[None] + 0.1 * random.normal(size=SHAPE), 0, 1)
    alpha[:, :8], alpha[:, -8:] = 0, 1
    guide = alpha[..., None] * (210, 120, 60) + (1 - alpha[..., None]) * (30, 80, 160)
    unknown = np.zeros(SHAPE, bool)
    unknown[:, 8:-8] = True
    prior = np.tile(np.clip(x, 0, 1).astype(np.float32), (SHAPE[0], 1))
    return np.rint(guide + random.normal(size=guide.shape)).astype(np.uint8), alpha, prior, unknown


def dense(guide):
    """The matting Laplacian window by window, in double precision."""
    height, width = guide.shape[:2]
    colors = guide.reshape(-1, 3) / 255.0
    matrix = np.zeros((len(colors), len(colors)))
    for row in range(1, height - 1):
        for column in range(1, width - 1):
            pixels = [(row + y) * width + column + x for y in (-1, 0, 1) for x in (-1, 0, 1)]
            offsets = colors[pixels] - colors[pixels].mean(axis=0)
            inverse = np.linalg.inv(offsets.T @ offsets / 9 + closed_form.EPSILON / 9 * np.eye(3))
            matrix[np.ix_(pixels, pixels)] += np.eye(9) - (1 + offsets @ inverse @ offsets.T) / 9
    return matrix


def test_it_is_the_minimum_of_the_quadratic_form(image, monkeypatch):
    guide, _, prior, unknown = image
    monkeypatch.setattr(closed_form, "FINE_STEPS", 400)
    matrix, free = dense(guide), np.flatnonzero(unknown)
    known = np.where(unknown, 0, prior > 0.5).ravel().astype(float)
    likely = prior.ravel()[free].astype(float)
    weight = PULL * (2 * likely - 1) ** 2 + 1e-6
    low, high = closed_form.WORD
    right = weight * np.clip((likely - low) / (high - low), 0, 1) - (matrix @ known)[free]
    exactly = np.linalg.solve(matrix[np.ix_(free, free)] + np.diag(weight), right)
    found = solve(guide, prior, unknown, PULL)
    assert found.ravel()[free] == pytest.approx(np.clip(exactly, 0, 1), abs=2e-3)
    assert np.array_equal(found[~unknown], prior[~unknown] > 0.5)


def test_a_mix_of_two_colours_is_separated_by_colour(image):
    guide, alpha, prior, unknown = image
    found = solve(guide, prior, unknown, PULL)
    assert np.abs(found - alpha)[unknown].mean() < 0.3 * np.abs(prior - alpha)[unknown].mean()


def test_the_models_give_alpha_from_the_colours(image):
    guide, _, prior, unknown = image
    found = solve_with_models(guide, prior, unknown, PULL)
    again = (found.models[..., :3] * guide).sum(axis=2) + found.models[..., 3]
    assert found.models.shape == (*SHAPE, 4)
    assert np.abs(again - found.alpha).mean() < 0.02
    assert not found.models[:, :5, :3].any()
    assert np.array_equal(again[:, :5], found.alpha[:, :5])


@pytest.mark.parametrize("shape", [(1, 1), (2, 9), (3, 3), (40, 20)])
def test_nothing_known_and_nothing_unknown(shape):
    guide = np.full((*shape, 3), 90, np.uint8)
    for unknown in (np.zeros(shape, bool), np.ones(shape, bool)):
        for value in (0.0, 1.0):
            found = solve(guide, np.full(shape, value, np.float32), unknown, PULL)
            assert found == pytest.approx(np.full(shape, value), abs=1e-4)


def test_grain_does_not_become_alphas(image):
    """Where only grain differs, alpha does not follow the colours of a larger photo."""
    _, alpha, prior, unknown = image
    random = np.random.Generator(np.random.Philox(3))
    dark = np.rint(30 + 4 * random.normal(size=(*SHAPE, 3))).astype(np.uint8)
    found = solve_with_models(dark, prior, unknown, PULL)
    assert np.abs(found.models[..., :3]).sum(axis=2).max() * 4 < 0.25
    assert alpha.shape == found.alpha.shape
