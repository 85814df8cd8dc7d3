"""What a report needs of a trained dense model beside its weights and results, as JSON."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from manyheads.experiments.guard_record import code_version
from manyheads.models import MultiTaskModel


@dataclass(frozen=True)
class DenseRecord:
    """A dense model without its weights.

    Args:
        class_names: names of the segmentation's classes.
        image_shape: channels, height and width of its images.
        shared: how many parameters all tasks share.
        private: how many each head owns, by task name, main task first.
        commit: version of the code that trained it; None where unknown.
    """

    class_names: tuple[str, ...]
    image_shape: tuple[int, int, int]
    shared: int
    private: Mapping[str, int]
    commit: str | None = None

    @staticmethod
    def of(model: MultiTaskModel, *, class_names: tuple[str, ...], image_shape: tuple[int, int, int]) -> "DenseRecord":
        """Describe a model."""
        counts = model.parameter_counts()
        return DenseRecord(class_names, image_shape, counts.shared, dict(counts.private), code_version())

    def to_json(self) -> str:
        """Write it as JSON."""
        return json.dumps(asdict(self), indent=1) + "\n"

    @staticmethod
    def read(path: Path) -> "DenseRecord":
        """Read what `to_json` wrote.

        Raises:
            FileNotFoundError: if the run was not trained yet.
            ValueError: if the file is damaged.
        """
        if not path.exists():
            raise FileNotFoundError(f"{path.parent} has no trained model yet; run the experiment first")
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            names = {"class_names": tuple(values["class_names"]), "image_shape": tuple(values["image_shape"])}
            return DenseRecord(**{**values, **names})
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise ValueError(f"{path} does not describe a dense model ({error}); run the experiment again") from error
