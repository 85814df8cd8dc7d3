"""The gallery: attacked images that one can look at, with what every head said before and after."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from matplotlib.image import imsave
from safetensors.torch import load_file
from torch import Tensor

from manyheads.reports.results import Challenge

FOOLED, CAUGHT = "fooled, accepted", "fooled, but rejected"
"""Fates of an attacked image on which the main head is wrong."""

SURVIVED, REFUSED = "right, accepted", "right, but rejected"
"""Fates of an attacked image on which the main head is right."""

FATES = (FOOLED, CAUGHT, SURVIVED, REFUSED)
"""What can become of an attacked image, the worst first."""

_SHOWN_PIXELS = 112
_NICE_FACTORS = tuple(digit * 10**power for power in range(3, -1, -1) for digit in (5, 2, 1))


@dataclass(frozen=True, kw_only=True, eq=False)
class Heads:
    """What one head should say and did say about each image, as class indices."""

    truth: Int64[Tensor, " count"]
    clean: Int64[Tensor, " count"]
    attacked: Int64[Tensor, " count"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Exhibit:
    """Images of one model under one threat and attack.

    Args:
        model: name of the model.
        threat: name of the threat.
        challenge: the attack and its budget.
        main: name of the main task.
        clean: images in [0, 1].
        attacked: the same images after the attack.
        heads: truth and answers, by task name.
        rejected_clean: which clean images the model rejects.
        rejected_attacked: which attacked images it rejects.
        class_names: names of the classes, by task name; a task without is shown by number.

    Raises:
        ValueError: if the images are neither grey nor RGB, or the main task has no answers.
    """

    model: str
    threat: str
    challenge: Challenge
    main: str
    clean: Float[Tensor, "count channel height width"]
    attacked: Float[Tensor, "count channel height width"]
    heads: Mapping[str, Heads]
    rejected_clean: Bool[Tensor, " count"]
    rejected_attacked: Bool[Tensor, " count"]
    class_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what cannot be shown."""
        if self.clean.shape[1] not in (1, 3):
            raise ValueError(f"a gallery shows images of 1 or 3 channels, got {self.clean.shape[1]}")
        if self.main not in self.heads:
            raise ValueError(f"the main task {self.main!r} has no answers; there are: {', '.join(self.heads)}")


def load_exhibit(
    path: Path, *, model: str, threat: str, challenge: Challenge, main: str, class_names: Mapping[str, tuple[str, ...]]
) -> Exhibit:
    """Read an exhibit's tensors from a safetensors file.

    Raises:
        ValueError: if the file lacks a tensor.
    """
    tensors = load_file(path)
    names = [name.removeprefix("truth.") for name in tensors if name.startswith("truth.")]
    wanted = ["clean", "attacked", "rejected_clean", "rejected_attacked"]
    wanted += [f"{moment}.{name}" for name in names for moment in ("clean", "attacked")]
    missing = [name for name in wanted if name not in tensors]
    if missing:
        raise ValueError(f"{path} is not a gallery: it lacks {', '.join(missing)}; evaluate again")
    names.sort(key=lambda name: (name != main, name))
    return Exhibit(
        model=model,
        threat=threat,
        challenge=challenge,
        main=main,
        clean=tensors["clean"],
        attacked=tensors["attacked"],
        heads={
            name: Heads(
                truth=tensors[f"truth.{name}"], clean=tensors[f"clean.{name}"], attacked=tensors[f"attacked.{name}"]
            )
            for name in names
        },
        rejected_clean=tensors["rejected_clean"],
        rejected_attacked=tensors["rejected_attacked"],
        class_names=class_names,
    )


@dataclass(frozen=True, kw_only=True)
class Said:
    """What one head said about one image, in class names."""

    task: str
    truth: str
    clean: str
    attacked: str


@dataclass(frozen=True, kw_only=True)
class Card:
    """One attacked image, ready to be shown.

    Args:
        fate: one of `FATES`.
        clean: the clean image, as a data URI.
        change: the perturbation times `factor` around middle grey, as a data URI.
        attacked: the attacked image, as a data URI.
        factor: how much the perturbation is amplified.
        width: width in pixels at which the images are shown, a multiple of their own.
        said: one entry per head, the main one first.
        rejected_clean: whether the clean image was rejected.
        rejected_attacked: whether the attacked image was rejected.
    """

    fate: str
    clean: str
    change: str
    attacked: str
    factor: int
    width: int
    said: tuple[Said, ...]
    rejected_clean: bool
    rejected_attacked: bool


def cards(exhibit: Exhibit, *, each: int = 1) -> tuple[Card, ...]:
    """Choose up to `each` images of every fate that occurs.

    Images that were right and accepted before the attack come first, then those of lower place: the choice depends on
    nothing else.
    """
    places = [place for fate in FATES for place in _first(exhibit, fate, each=each)]
    return tuple(_card(exhibit, place) for place in places)


def fates(exhibit: Exhibit) -> list[str]:
    """Tell what became of every attacked image."""
    main = exhibit.heads[exhibit.main]
    fooled = (main.attacked != main.truth).tolist()
    names = {(True, False): FOOLED, (True, True): CAUGHT, (False, False): SURVIVED, (False, True): REFUSED}
    return [names[key] for key in zip(fooled, exhibit.rejected_attacked.tolist(), strict=True)]


def amplification(change: Float[Tensor, "channel height width"]) -> int:
    """Choose the largest of 1, 2, 5, 10 ... that keeps an amplified change within middle grey ± 0.5, 1 at least."""
    size = float(change.abs().max())
    return next((factor for factor in _NICE_FACTORS if factor * size <= 0.5 + 1e-6), 1) if size > 0 else 1


def png_uri(image: Float[Tensor, "channel height width"]) -> str:
    """Write an image in [0, 1] as the data URI of a PNG, one PNG pixel per pixel."""
    pixels = (image.clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0)
    array = np.ascontiguousarray(pixels.expand(-1, -1, 3).cpu().numpy())
    file = BytesIO()
    imsave(file, array, format="png", metadata={"Software": "manyheads"})
    return "data:image/png;base64," + b64encode(file.getvalue()).decode()


def _first(exhibit: Exhibit, fate: str, *, each: int) -> list[int]:
    main = exhibit.heads[exhibit.main]
    good = ((main.clean == main.truth) & ~exhibit.rejected_clean).tolist()
    places = [place for place, one in enumerate(fates(exhibit)) if one == fate]
    return sorted(places, key=lambda place: not good[place])[:each]


def _card(exhibit: Exhibit, place: int) -> Card:
    clean, attacked = exhibit.clean[place].float(), exhibit.attacked[place].float()
    change = attacked - clean
    factor = amplification(change)
    own = clean.shape[-1]
    names = [exhibit.main, *(name for name in exhibit.heads if name != exhibit.main)]
    return Card(
        fate=fates(exhibit)[place],
        clean=png_uri(clean),
        change=png_uri(0.5 + factor * change),
        attacked=png_uri(attacked),
        factor=factor,
        width=own * max(1, round(_SHOWN_PIXELS / own)),
        said=tuple(_said(exhibit, task=name, place=place) for name in names),
        rejected_clean=bool(exhibit.rejected_clean[place]),
        rejected_attacked=bool(exhibit.rejected_attacked[place]),
    )


def _said(exhibit: Exhibit, *, task: str, place: int) -> Said:
    names = exhibit.class_names.get(task, ())
    heads = exhibit.heads[task]
    answers = [int(answer[place]) for answer in (heads.truth, heads.clean, heads.attacked)]
    truth, clean, attacked = (names[number] if number < len(names) else str(number) for number in answers)
    return Said(task=task, truth=truth, clean=clean, attacked=attacked)
