"""The gallery of dense models: each head's map before and after the attack beside the truth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jaxtyping import Float
from safetensors.torch import load_file
from torch import Tensor

from manyheads.reports.dense_results import UNITS
from manyheads.reports.dense_strips import Strip, strips
from manyheads.reports.gallery import amplification, png_uri
from manyheads.reports.results import Challenge

MOMENTS = ("truth", "clean", "attacked")
"""What a head's maps are of: the truth, and its predictions before and after the attack."""

_SHOWN_PIXELS = 240


@dataclass(frozen=True, kw_only=True, eq=False)
class DenseExhibit:
    """Frames of one dense model under one threat and attack.

    Args:
        model: name of the model.
        threat: name of the threat.
        challenge: the attack and its budget.
        clean: images in [0, 1].
        attacked: the same images after the attack.
        maps: by task, the main one first: truth, prediction before and after. Classes are whole numbers of shape
            (count, height, width), -1 where unknown; all else are floats of shape (count, channels, height, width),
            NaN where unknown.
        class_names: names of the classes, by task; a class without is shown by number.
        units: units of the maps, by task.

    Raises:
        ValueError: if there is no frame, no task, or a map has another size than the images.
    """

    model: str
    threat: str
    challenge: Challenge
    clean: Float[Tensor, "count 3 height width"]
    attacked: Float[Tensor, "count 3 height width"]
    maps: Mapping[str, tuple[Tensor, Tensor, Tensor]]
    class_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=lambda: UNITS)

    def __post_init__(self) -> None:
        """Refuse what cannot be shown side by side."""
        if not len(self.clean) or not self.maps:
            raise ValueError(f"a gallery shows at least one frame and task, got {len(self.clean)} and {len(self.maps)}")
        wanted = (len(self.clean), *self.clean.shape[-2:])
        for task, maps in self.maps.items():
            for moment, one in zip(MOMENTS, maps, strict=True):
                found = (len(one), *one.shape[-2:])
                if found != wanted:
                    raise ValueError(
                        f"{moment} of {task} has frames × height × width {found}; the images have {wanted}"
                    )


def load_dense_exhibit(
    path: Path,
    *,
    model: str,
    threat: str,
    challenge: Challenge,
    tasks: Sequence[str],
    class_names: Mapping[str, tuple[str, ...]],
) -> DenseExhibit:
    """Read an exhibit's tensors from a safetensors file: `clean`, `attacked` and `<moment>.<task>`.

    Args:
        path: the file.
        model: name of the model.
        threat: name of the threat.
        challenge: the attack and its budget.
        tasks: which tasks to show, in order.
        class_names: names of the classes, by task.

    Raises:
        ValueError: if the file lacks a tensor.
    """
    tensors = load_file(path)
    wanted = ["clean", "attacked", *(f"{moment}.{task}" for task in tasks for moment in MOMENTS)]
    missing = [name for name in wanted if name not in tensors]
    if missing:
        raise ValueError(f"{path} is not a gallery of these tasks: it lacks {', '.join(missing)}; evaluate again")
    return DenseExhibit(
        model=model,
        threat=threat,
        challenge=challenge,
        clean=tensors["clean"],
        attacked=tensors["attacked"],
        maps={
            task: (tensors[f"truth.{task}"], tensors[f"clean.{task}"], tensors[f"attacked.{task}"]) for task in tasks
        },
        class_names=class_names,
    )


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One attacked frame, ready to be shown.

    Args:
        clean: the clean image, as a data URI.
        change: the perturbation times `factor` around middle grey, as a data URI.
        attacked: the attacked image, as a data URI.
        factor: how much the perturbation is amplified.
        width: width in pixels at which pictures are shown, a multiple of their own.
        strips: one per head, or per channel of a head.
    """

    clean: str
    change: str
    attacked: str
    factor: int
    width: int
    strips: tuple[Strip, ...]


def scenes(exhibit: DenseExhibit, *, most: int = 2) -> tuple[Scene, ...]:
    """Draw the first frames of an exhibit."""
    return tuple(_scene(exhibit, place) for place in range(min(most, len(exhibit.clean))))


def _scene(exhibit: DenseExhibit, place: int) -> Scene:
    clean, attacked = exhibit.clean[place].float(), exhibit.attacked[place].float()
    change = attacked - clean
    factor = amplification(change)
    own = clean.shape[-1]
    drawn = [
        strip
        for task, (truth, before, after) in exhibit.maps.items()
        for strip in strips(
            (truth[place], before[place], after[place]),
            task=task,
            names=exhibit.class_names.get(task, ()),
            unit=exhibit.units.get(task, ""),
        )
    ]
    return Scene(
        clean=png_uri(clean),
        change=png_uri(0.5 + factor * change),
        attacked=png_uri(attacked),
        factor=factor,
        width=own * max(1, round(_SHOWN_PIXELS / own)),
        strips=tuple(drawn),
    )
