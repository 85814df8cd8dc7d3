from pathlib import Path

import torch
from safetensors.torch import load_file

from manyheads.evaluation import Attacked
from manyheads.experiments.dense_gallery import DenseGallery


def attacked(first: int, count: int) -> Attacked:
    scores = torch.zeros(count, 3, 2, 2)
    scores[:, 2] = 1.0
    return Attacked(
        index=torch.arange(first, first + count),
        clean=torch.rand(count, 3, 2, 2),
        image=torch.rand(count, 3, 2, 2),
        truth={"segmentation": torch.zeros(count, 2, 2, dtype=torch.int64), "depth": torch.full((count, 1, 2, 2), 2.0)},
        before={"segmentation": -scores, "depth": torch.full((count, 1, 2, 2), 3.0)},
        after={"segmentation": scores, "depth": torch.full((count, 1, 2, 2), 4.0)},
        decisions=None,
    )


def test_the_first_frames_are_kept_with_truth_and_predictions(tmp_path: Path) -> None:
    gallery = DenseGallery(size=4)
    parts = [attacked(0, 3), attacked(3, 3), attacked(6, 3)]
    for part in parts:
        gallery.observe(part)
    gallery.save(tmp_path / "x.safetensors")
    kept = load_file(tmp_path / "x.safetensors")
    assert kept["index"].tolist() == [0, 1, 2, 3]
    assert torch.equal(kept["clean"], torch.cat([parts[0].clean, parts[1].clean[:1]]))
    assert torch.equal(kept["attacked"], torch.cat([parts[0].image, parts[1].image[:1]]))
    assert kept["truth.segmentation"].shape == kept["clean.segmentation"].shape == (4, 2, 2)
    assert kept["clean.segmentation"].unique().tolist() == [0]
    assert kept["attacked.segmentation"].unique().tolist() == [2]
    assert kept["attacked.segmentation"].dtype == torch.int64
    values = {name: kept[f"{name}.depth"].unique().item() for name in ("truth", "clean", "attacked")}
    assert values == {"truth": 2.0, "clean": 3.0, "attacked": 4.0}
    assert kept["clean.depth"].shape == (4, 1, 2, 2)
