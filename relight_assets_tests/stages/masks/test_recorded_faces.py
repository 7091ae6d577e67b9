"""Faces go through a record and come back the same on both sides of it."""

import json

import numpy as np
import pytest

from relight_assets.stages.masks.recorded_faces import (
    FINEST,
    FacesUnreadableError,
    packed,
    packed_eyes,
    unpacked,
    unpacked_eyes,
)
from relight_assets_tests.stages.made_eyes import eye_points


def mesh(size: float, place: float) -> np.ndarray:
    rng = np.random.default_rng(1)
    return (rng.normal(size=(468, 3)) * size + [place, place, 0]).astype(np.float32)


@pytest.mark.parametrize(("size", "place"), [(3, 10), (60, 512), (900, 4000), (5000, 9000)])
def test_points_come_back_within_half_a_step(size: float, place: float) -> None:
    face = mesh(size, place)
    numbers = json.loads(json.dumps(packed([face])))
    (points,) = unpacked(numbers)
    step = numbers["face_meshes"][0]["step"]
    assert points.dtype == np.float32
    assert step == FINEST or step <= 2 * np.abs(face[:, :2] - place).max() / 32767 * 2
    assert np.abs(points - face).max() <= step * 0.51
    assert packed([points])["face_meshes"][0]["step"] == step


def test_none_and_several() -> None:
    assert unpacked(packed([])) == []
    assert len(unpacked(packed([mesh(60, 100), mesh(30, 400)]))) == 2


def test_what_is_not_there_or_damaged_is_no_face() -> None:
    good = packed([mesh(60, 100)])
    face = good["face_meshes"][0]
    for numbers in (
        {},
        good | {"faces": 2},
        good | {"face_meshes": "x"},
        good | {"face_meshes": [face | {"points": face["points"][:-8]}]},
        good | {"face_meshes": [face | {"points": "!"}]},
        good | {"face_meshes": [{}]},
        *(good | {"face_meshes": [face | {"step": step}]} for step in (True, None, 0, -1, 1e300, 10**400, "x", [1])),
        *(
            good | {"face_meshes": [face | {"origin": origin}]}
            for origin in ([], [1], [1, 2, 3], [1, 10**400], "x", {})
        ),
    ):
        with pytest.raises(FacesUnreadableError):
            unpacked(numbers)


@pytest.mark.parametrize(("radius", "place"), [(5.3, 30), (20.7, 800), (300.2, 9000)])
def test_eyes_come_back_within_half_a_step(radius: float, place: float) -> None:
    eyes = [eye_points(place, place / 2, radius), eye_points(3 * place, place / 2, radius)]
    numbers = json.loads(json.dumps(packed_eyes(eyes)))
    found = unpacked_eyes(numbers)
    for eye, back, kept in zip(eyes, found, numbers["eyes"], strict=True):
        assert back.shape == (21, 2)
        assert back.dtype == np.float32
        assert np.abs(back - eye).max() <= kept["step"] * 0.51
    assert packed_eyes(found) == numbers
    assert unpacked_eyes(packed_eyes([])) == []


def test_eyes_that_are_not_there_or_damaged_are_refused() -> None:
    eye = packed_eyes([eye_points(100, 80, 20)])["eyes"][0]
    mesh_of_a_face = packed([mesh(60, 100)])["face_meshes"][0]
    damaged = ({}, {"eyes": None}, {"eyes": "x"}, {"eyes": [{}]}, {"eyes": [eye | {"points": eye["points"][:-8]}]})
    for numbers in (*damaged, {"eyes": [eye | {"step": 0}]}, {"eyes": [mesh_of_a_face]}):
        with pytest.raises(FacesUnreadableError):
            unpacked_eyes(numbers)
