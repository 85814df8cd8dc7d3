import torch

from manyheads.reports.dense_maps import hex_colour
from manyheads.reports.dense_strips import strips

NAN = float("nan")


def three(truth, before, after):
    return torch.tensor(truth), torch.tensor(before), torch.tensor(after)


def test_classes_have_a_legend_of_those_that_occur():
    maps = three([[0, 2, -1]], [[0, 2, 5]], [[2, 1, 1]])
    (strip,) = strips(maps, task="segmentation", names=("floor", "wall", "door"))
    assert strip.legend == tuple(
        (name, hex_colour(number)) for name, number in (("floor", 0), ("wall", 1), ("door", 2), ("5", 5))
    )
    assert strip.quality == ("100 % right", "0 % right")
    assert strip.scale is None


def test_a_quantity_has_one_scale_for_all_three_and_its_error():
    maps = three([[[1.0, 3.0, NAN]]], [[[1.0, 2.0, 9.0]]], [[[3.0, 5.0, 1.0]]])
    (strip,) = strips(maps, task="depth", unit="m")
    assert (strip.scale.low, strip.scale.high, strip.scale.colours) == (1.0, 3.0, "viridis")
    assert strip.quality == ("0.5 m off", "2 m off")
    assert strip.legend == ()


def test_directions_are_judged_by_their_angle():
    ahead, aside = [[[0.0]], [[0.0]], [[-1.0]]], [[[2.0]], [[0.0]], [[0.0]]]
    (strip,) = strips(three(ahead, ahead, aside), task="normals")
    assert strip.quality == ("0.0° off", "90.0° off")


def test_edges_are_grey_and_curvatures_are_shown_one_by_one():
    edges = strips(three([[[0.0, 1.0]]], [[[0.0, 1.0]]], [[[0.0, 1.0]]]), task="occlusion_edges")
    assert [strip.scale.colours for strip in edges] == ["gray"]
    bent = torch.tensor([[[1.0, 2.0]], [[-4.0, 0.0]]])
    found = strips((bent, bent, bent), task="curvature", unit="1/m")
    assert [strip.title for strip in found] == ["curvature, larger", "curvature, smaller"]
    assert all(strip.scale.low == -strip.scale.high for strip in found)


def test_an_image_is_shown_whole():
    image = torch.rand(3, 2, 2)
    (strip,) = strips((image, image, image + 0.5), task="autoencoding")
    assert (strip.scale, strip.legend, strip.quality) == (None, (), ("0 off", "0.5 off"))


def test_an_unheard_of_task_is_shown_channel_by_channel():
    one = torch.rand(2, 2, 2)
    assert [strip.title for strip in strips((one, one, one), task="flow")] == ["flow, 0", "flow, 1"]


def test_nothing_is_said_of_a_frame_without_truth():
    classes = three([[-1]], [[0]], [[1]])
    depth = three([[[NAN]]], [[[1.0]]], [[[2.0]]])
    normals = tuple(torch.full((3, 1, 1), value) for value in (NAN, 1.0, 1.0))
    found = [
        strips(maps, task=task)[0] for maps, task in ((classes, "segmentation"), (depth, "depth"), (normals, "normals"))
    ]
    assert [strip.quality for strip in found] == [("", "")] * 3
