from pathlib import Path

import pytest

from manyheads.experiments import DenseRecord, Outcome


def test_a_record_comes_back_from_json(tmp_path: Path) -> None:
    one = DenseRecord(("floor", "wall"), (3, 16, 24), 100, {"segmentation": 7, "depth": 5}, "abc+")
    (tmp_path / "model.json").write_text(one.to_json())
    assert DenseRecord.read(tmp_path / "model.json") == one


def test_a_trained_run_has_one(dense_outcome: Outcome) -> None:
    found = DenseRecord.read(dense_outcome.files.model)
    assert found.image_shape == (3, 16, 24)
    assert "floor" in found.class_names
    assert list(found.private) == ["segmentation", "depth", "autoencoding"]
    assert found.shared == 303_320


def test_a_run_that_was_not_trained_has_none(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="has no trained model yet; run the experiment first"):
        DenseRecord.read(tmp_path / "model.json")


@pytest.mark.parametrize("text", ["{", "[]", '{"shared": 3}'])
def test_a_damaged_record_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "model.json").write_text(text)
    with pytest.raises(ValueError, match=r"model\.json does not describe a dense model .*; run the experiment again"):
        DenseRecord.read(tmp_path / "model.json")
