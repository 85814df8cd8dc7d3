from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from manyheads.defences import Decision
from manyheads.evaluation import Attacked
from manyheads.experiments.gallery import Gallery


def attacked(count: int, *, start: int, guarded: bool) -> Attacked:
    """A batch whose numbers tell which example they belong to."""
    index = torch.arange(start, start + count)
    image = (index / 100).view(-1, 1, 1, 1).expand(-1, 1, 2, 2)
    before, after = torch.eye(10)[index % 10], torch.eye(10)[(index + 1) % 10]
    decisions = (
        Decision(index % 10, index % 2 == 0, index.float()),
        Decision((index + 1) % 10, index % 3 == 0, index.float()),
    )
    return Attacked(
        index=index,
        clean=image,
        image=image + 0.005,
        truth={"digit": index % 10},
        before={"digit": before},
        after={"digit": after},
        decisions=decisions if guarded else None,
    )


@pytest.mark.parametrize(("size", "kept"), [(3, 3), (5, 5), (8, 8), (64, 9)])
def test_the_first_examples_are_kept_however_they_are_batched(tmp_path: Path, size: int, kept: int) -> None:
    gallery = Gallery(size=size)
    for start in (0, 3, 6):
        gallery.observe(attacked(3, start=start, guarded=True))
    gallery.save(tmp_path / "deep" / "gallery.safetensors")
    tensors = load_file(tmp_path / "deep" / "gallery.safetensors")
    index = torch.arange(kept)
    assert gallery.count == kept
    assert tensors["index"].tolist() == index.tolist()
    assert torch.equal(tensors["clean"][:, 0, 0, 0], index / 100)
    assert torch.equal(tensors["attacked"][:, 0, 0, 0], index / 100 + 0.005)
    assert tensors["truth.digit"].tolist() == index.tolist()
    assert tensors["clean.digit"].tolist() == index.tolist()
    assert tensors["attacked.digit"].tolist() == ((index + 1) % 10).tolist()
    assert tensors["rejected_clean"].tolist() == (index % 2 == 0).tolist()
    assert tensors["rejected_attacked"].tolist() == (index % 3 == 0).tolist()


def test_without_a_guard_nothing_is_rejected(tmp_path: Path) -> None:
    gallery = Gallery()
    gallery.observe(attacked(4, start=0, guarded=False))
    gallery.save(tmp_path / "gallery.safetensors")
    tensors = load_file(tmp_path / "gallery.safetensors")
    assert tensors["rejected_clean"].tolist() == tensors["rejected_attacked"].tolist() == [False] * 4


def test_what_several_processes_kept_is_put_back_in_order() -> None:
    dealt = [torch.arange(9)[rank::2] for rank in (0, 1)]
    assert Gallery()._first(dealt).tolist() == list(range(9))
    assert Gallery(size=5)._first(dealt).tolist() == list(range(5))
