"""Figures of perturbed images: rows of small pictures, each with a line below it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from manyheads.reports.gallery import amplification
from manyheads.reports.palette import house_style

_CELL = (1.6, 1.55)


@dataclass(frozen=True, kw_only=True, eq=False)
class Pane:
    """A small picture.

    Args:
        image: in [0, 1], grey or red, green and blue.
        says: what stands below it.
    """

    image: Float[Tensor, "channel height width"]
    says: str


def change_pane(clean: Float[Tensor, "channel height width"], *, attacked: Tensor) -> Pane:
    """Show a perturbation, amplified around middle grey by the factor that stands below it.

    Args:
        clean: the image before the attack.
        attacked: the image after it, of the same shape.
    """
    change = attacked.float() - clean.float()
    factor = amplification(change)
    return Pane(image=0.5 + factor * change, says=f"× {factor}")


@house_style()
def panes_figure(rows: Sequence[tuple[str, Sequence[Pane]]], *, columns: Sequence[str]) -> Figure:
    """Draw rows of pictures.

    Args:
        rows: name and pictures of each row.
        columns: headings, one per picture of a row.

    Raises:
        ValueError: if there is no row, or one has not a picture per heading.

    Reference: Guo et al., arXiv 2011.09824, Figs. 3 and 4.
    """
    wrong = [name for name, panes in rows if len(panes) != len(columns)]
    if wrong or not rows:
        raise ValueError(f"each row needs {len(columns)} pictures, wrong: {', '.join(wrong) or 'there is no row'}")
    figure = Figure(figsize=(_CELL[0] * len(columns) + 0.6, _CELL[1] * len(rows) + 0.3), layout="constrained")
    axes = np.asarray(figure.subplots(len(rows), len(columns), squeeze=False))
    for line, (name, panes) in zip(axes, rows, strict=True):
        for place, pane in zip(line, panes, strict=True):
            picture = pane.image.detach().cpu().clamp(0, 1).permute(1, 2, 0).numpy()
            place.imshow(picture if picture.shape[2] == 3 else picture[:, :, 0], cmap="gray", vmin=0, vmax=1)
            place.set_xticks([])
            place.set_yticks([])
            place.grid(visible=False)
            place.set_xlabel(pane.says, fontsize=7)
        line[0].set_ylabel(name, fontsize=8)
    for place, heading in zip(axes[0], columns, strict=True):
        place.set_title(heading, fontsize=8)
    return figure
