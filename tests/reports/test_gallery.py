from base64 import b64decode
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import save_file

from manyheads.reports import Challenge, cards, load_exhibit
from manyheads.reports.gallery import CAUGHT, FATES, FOOLED, REFUSED, SURVIVED, amplification, fates, png_uri


@pytest.fixture
def exhibit(exhibits):
    return exhibits[0]


def pixels(uri):
    head, data = uri.split(",")
    assert head == "data:image/png;base64"
    return np.asarray(Image.open(BytesIO(b64decode(data))).convert("RGB"))


def test_fates_follow_from_the_answer_and_the_rejection(exhibit):
    assert fates(exhibit) == [FOOLED, CAUGHT, SURVIVED, REFUSED] * 2


def test_one_card_of_every_fate_is_chosen_the_worst_first(exhibit):
    assert tuple(card.fate for card in cards(exhibit)) == FATES


def test_a_fate_that_did_not_occur_has_no_card(exhibit):
    none_rejected = replace(exhibit, rejected_attacked=torch.zeros(8, dtype=torch.bool))
    assert [card.fate for card in cards(none_rejected, each=2)] == [FOOLED, FOOLED, SURVIVED, SURVIVED]


def test_images_that_were_right_before_the_attack_come_first(exhibit):
    digit = exhibit.heads["digit"]
    wrong = replace(digit, clean=torch.where(torch.arange(8) == 0, 9, digit.clean))
    changed = replace(exhibit, heads={**exhibit.heads, "digit": wrong})
    assert cards(changed)[0].said[0].truth == "4"
    assert [card.said[0].truth for card in cards(changed, each=2)][:2] == ["4", "0"]


def test_images_that_were_rejected_before_the_attack_come_last(exhibit):
    refused = replace(exhibit, rejected_clean=torch.arange(8) == 0)
    assert cards(refused)[0].said[0].truth == "4"


def test_a_card_says_what_every_head_said_the_main_one_first(exhibit):
    said = cards(exhibit)[1].said
    assert [(one.task, one.truth, one.clean, one.attacked) for one in said] == [
        ("digit", "1", "1", "4"),
        ("parity", "odd", "odd", "odd"),
    ]


def test_a_card_tells_whether_the_image_was_rejected(exhibit):
    assert [card.rejected_attacked for card in cards(exhibit)] == [False, True, False, True]
    assert not any(card.rejected_clean for card in cards(exhibit))


def test_pictures_hold_the_images_pixel_by_pixel(exhibit):
    card = cards(exhibit)[0]
    clean = (exhibit.clean[0, 0] * 255).round().numpy()
    assert (pixels(card.clean) == clean[..., None]).all()
    change = 0.5 + card.factor * (exhibit.attacked[0, 0] - exhibit.clean[0, 0])
    assert np.abs(pixels(card.change)[..., 0] - 255 * change.numpy()).max() <= 0.51


def test_images_are_shown_at_a_multiple_of_their_own_size(exhibit):
    assert cards(exhibit)[0].width == 112


def test_colours_survive():
    image = torch.rand(3, 5, 7, generator=torch.Generator().manual_seed(0))
    assert np.abs(pixels(png_uri(image)) - 255 * image.permute(1, 2, 0).numpy()).max() <= 0.51


@given(st.floats(1e-4, 1.0))
def test_an_amplified_change_uses_the_range_and_stays_inside(size):
    factor = amplification(torch.tensor([[[size, -size / 2]]]))
    assert factor == 1 or factor * size <= 0.5 + 1e-5
    assert factor * size > 0.2 - 1e-5 or factor == 5000


def test_no_change_is_not_amplified():
    assert amplification(torch.zeros(1, 2, 2)) == 1


def test_a_gallery_file_is_read_back(tmp_path, exhibit):
    tensors = {name: getattr(exhibit, name) for name in ("clean", "attacked", "rejected_clean", "rejected_attacked")}
    for task, heads in exhibit.heads.items():
        tensors |= {f"{moment}.{task}": getattr(heads, moment).clone() for moment in ("truth", "clean", "attacked")}
    save_file(tensors, tmp_path / "gallery.safetensors")
    known = {"model": exhibit.model, "threat": exhibit.threat, "challenge": exhibit.challenge, "main": "digit"}
    read = load_exhibit(tmp_path / "gallery.safetensors", **known, class_names=exhibit.class_names)
    assert list(read.heads) == ["digit", "parity"]
    assert cards(read) == cards(exhibit)


def test_a_file_that_is_no_gallery_is_refused(tmp_path):
    save_file({"clean": torch.zeros(1, 1, 2, 2), "truth.digit": torch.zeros(1)}, tmp_path / "weights.safetensors")
    challenge = Challenge(attack="pgd", norm="Linf", eps=0.1)
    known = {"model": "m", "threat": "gray-box", "challenge": challenge, "main": "digit", "class_names": {}}
    with pytest.raises(
        ValueError, match=r"lacks attacked, rejected_clean, rejected_attacked, clean.digit, attacked.digit"
    ):
        load_exhibit(tmp_path / "weights.safetensors", **known)


def test_images_of_two_channels_are_refused(exhibit):
    with pytest.raises(ValueError, match="1 or 3 channels, got 2"):
        replace(exhibit, clean=torch.zeros(8, 2, 8, 8), attacked=torch.zeros(8, 2, 8, 8))


def test_an_exhibit_without_its_main_task_is_refused(exhibit):
    with pytest.raises(ValueError, match="'letter' has no answers; there are: digit, parity"):
        replace(exhibit, main="letter")
