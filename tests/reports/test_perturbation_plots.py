import pytest
import torch

from manyheads.reports import Pane, change_pane, panes_figure, to_svg

IMAGE = torch.full((3, 4, 6), 0.5)


def test_a_change_is_amplified_around_middle_grey() -> None:
    pane = change_pane(IMAGE, attacked=IMAGE + 0.01)
    assert pane.says == "× 50"
    torch.testing.assert_close(pane.image, torch.full((3, 4, 6), 1.0))
    assert bool((change_pane(IMAGE, attacked=IMAGE).image == 0.5).all())


def test_every_picture_has_its_words() -> None:
    rows = [
        ("a", [Pane(image=IMAGE, says="one"), Pane(image=IMAGE[:1], says="two")]),
        ("b", [Pane(image=IMAGE, says="three")] * 2),
    ]
    svg = to_svg(panes_figure(rows, columns=["left", "right"])).decode()
    for said in ("one", "two", "three", "left", "right", ">a<", ">b<"):
        assert said in svg, said
    assert svg.count("<image") == 4


def test_rows_without_all_their_pictures_are_refused() -> None:
    with pytest.raises(ValueError, match="each row needs 2 pictures, wrong: a"):
        panes_figure([("a", [Pane(image=IMAGE, says="")])], columns=["left", "right"])
    with pytest.raises(ValueError, match="there is no row"):
        panes_figure([], columns=["left"])
