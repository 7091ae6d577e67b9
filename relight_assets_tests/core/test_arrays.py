import numpy as np

from relight_assets.core.arrays import Layer, Layers

PLANE = np.zeros((3, 5), np.float16)


def test_a_layer_knows_its_size_whether_it_has_one_channel_or_three():
    assert Layer("grain", {"factor": PLANE}).size == (5, 3)
    assert Layer("light", {"key": np.dstack([PLANE] * 3)}).size == (5, 3)


def test_layers_of_a_name_are_those_with_a_number_behind_it_too():
    layers = Layers((5, 3), tuple(Layer(name, {"a": PLANE}) for name in ("light", "eye.1", "eyelid", "eye.2")))
    assert [layer.name for layer in layers.named("eye")] == ["eye.1", "eye.2"]
    assert [layer.name for layer in layers.named("light")] == ["light"]
    assert layers.named("grain") == []
