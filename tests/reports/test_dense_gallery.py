from base64 import b64decode
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from manyheads.reports import load_dense_exhibit
from manyheads.reports.dense_gallery import MOMENTS, scenes
from manyheads.reports.dense_maps import class_colour


def pixels(uri):
    return np.asarray(Image.open(BytesIO(b64decode(uri.split(",")[1]))).convert("RGB"))


def test_a_scene_shows_the_image_and_every_head(dense_exhibit):
    shown = scenes(dense_exhibit)
    assert len(shown) == 2
    assert [strip.title for strip in shown[0].strips] == ["segmentation", "depth", "autoencoding"]
    clean = (dense_exhibit.clean[1] * 255).round().permute(1, 2, 0).numpy()
    assert (pixels(shown[1].clean) == clean).all()
    assert shown[0].factor == 20


def test_predictions_before_and_after_are_not_mixed_up(dense_exhibit):
    truth, before, after = (pixels(uri) for uri in scenes(dense_exhibit)[0].strips[0].pictures)
    assert (truth[1:] == before[1:]).all()
    assert (after == np.round(np.array(class_colour(2)) * 255)).all()
    assert not (truth[0, :2] == before[0, :2]).any(axis=-1).all()


def test_no_more_frames_are_drawn_than_asked_for(dense_exhibit):
    assert len(scenes(dense_exhibit, most=1)) == 1
    assert len(scenes(dense_exhibit, most=9)) == 2


def test_pictures_are_shown_at_a_multiple_of_their_size(dense_exhibit):
    assert scenes(dense_exhibit)[0].width == 240


def stored(exhibit):
    tensors = {"clean": exhibit.clean, "attacked": exhibit.attacked}
    for task, maps in exhibit.maps.items():
        tensors |= {f"{moment}.{task}": one.clone() for moment, one in zip(MOMENTS, maps, strict=True)}
    return tensors


def known(exhibit):
    return {
        "model": exhibit.model,
        "threat": exhibit.threat,
        "challenge": exhibit.challenge,
        "class_names": exhibit.class_names,
    }


def test_a_gallery_file_is_read_back_in_the_order_of_the_tasks(tmp_path, dense_exhibit):
    save_file(stored(dense_exhibit), tmp_path / "gallery.safetensors")
    tasks = ("depth", "segmentation", "autoencoding")
    read = load_dense_exhibit(tmp_path / "gallery.safetensors", tasks=tasks, **known(dense_exhibit))
    assert tuple(read.maps) == tasks
    assert scenes(read)[1].strips[0] == scenes(dense_exhibit)[1].strips[1]


def test_a_file_that_lacks_a_task_is_refused(tmp_path, dense_exhibit):
    save_file(stored(dense_exhibit), tmp_path / "gallery.safetensors")
    with pytest.raises(ValueError, match=r"it lacks truth.normals, clean.normals, attacked.normals; evaluate again"):
        load_dense_exhibit(tmp_path / "gallery.safetensors", tasks=("normals",), **known(dense_exhibit))


def test_a_map_of_another_size_is_refused(dense_exhibit):
    small = torch.zeros(2, 1, 3, 4)
    with pytest.raises(ValueError, match=r"truth of depth has .* \(2, 3, 4\); the images have \(2, 6, 8\)"):
        replace(dense_exhibit, maps={"depth": (small, small, small)})


def test_a_gallery_of_nothing_is_refused(dense_exhibit):
    with pytest.raises(ValueError, match="at least one frame and task, got 2 and 0"):
        replace(dense_exhibit, maps={})
