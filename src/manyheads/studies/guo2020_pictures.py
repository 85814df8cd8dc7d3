"""Pictures of perturbations and of what victims make of them, as in Figs. 3 and 4 of Guo et al. 2020."""

from collections.abc import Mapping

from safetensors.torch import load_file
from torch import Tensor

from manyheads.experiments import DenseRecord, GenerativeExperiment, PerturbationKind, RunFiles
from manyheads.reports import Pane, Picture, change_pane, panes_figure, to_svg
from manyheads.reports.dense_maps import classes_picture, directions_picture, quantity_picture, spanning
from manyheads.studies.guo2020_measured import Found
from manyheads.studies.guo2020_printed import Goal
from manyheads.studies.guo2020_wishes import METHODS, Wish

SHOWN_LEVEL = 5
"""Size of the budget of what is shown, in 255ths, as in the paper."""

_Gallery = Mapping[str, Tensor]


def perturbed_objects(found: Found, *, kind: PerturbationKind, goal: Goal) -> Picture | None:
    """Show an image of each domain, what both methods add to it, and what its classifier then says.

    Returns:
        The picture of the first seed; None where its galleries are gone.
    """
    runs = [_run(found, Wish("office31", kind, method, level=SHOWN_LEVEL, goal=goal)) for method in METHODS]
    rows = []
    for domain in runs[0][0].victims:
        galleries = [_gallery(experiment, files, task=domain, victim=domain) for experiment, files in runs]
        shown = [gallery for gallery in galleries if gallery is not None]
        if len(shown) < len(galleries):
            return None
        rows.append((domain, _object_panes(shown, names=DenseRecord.read(runs[0][1].model).class_names)))
    columns = ["original", *(heading for method in METHODS for heading in (method.upper(), f"with {method.upper()}"))]
    says = (
        f"{kind.replace('_', ' ').capitalize()} perturbations, {goal}, ε {SHOWN_LEVEL}/255, amplified as it says below "
        "them, and what each classifier says of the image."
    )
    return Picture(svg=to_svg(panes_figure(rows, columns=columns)), says=says, columns=2)


def perturbed_rooms(found: Found, *, level: int) -> Picture | None:
    """Show for each task the perturbation that MTA makes against it, and the prediction before and after.

    Returns:
        The picture of the first seed, both kinds; None where its galleries are gone.
    """
    rows = []
    kinds: tuple[PerturbationKind, ...] = ("universal", "per_instance")
    for kind in kinds:
        experiment, files = _run(found, Wish("nyuv2", kind, "mta", level=level))
        for task in experiment.tasks:
            gallery = _gallery(experiment, files, task=task, victim=next(iter(experiment.victims)))
            if gallery is None:
                return None
            rows.append((f"{task}\n{kind.replace('_', ' ')}", _room_panes(gallery, task=task)))
    columns = ["original", "perturbation", "perturbed", "truth", "prediction before", "prediction after"]
    says = (
        f"Perturbations of MTA against each task, ε {level}/255, amplified as it says below them, and the victim's "
        "predictions."
    )
    return Picture(svg=to_svg(panes_figure(rows, columns=columns)), says=says, columns=2)


def _run(found: Found, wish: Wish) -> tuple[GenerativeExperiment, RunFiles]:
    experiment = found.runs.experiment(wish, seed=found.seeds[0])
    return experiment, RunFiles(experiment.run)


def _gallery(experiment: GenerativeExperiment, files: RunFiles, *, task: str, victim: str) -> _Gallery | None:
    method, eps = experiment.generator.method, experiment.budget.eps
    path = files.gallery_of(f"{task}-on-{victim}", trial=method, eps=eps)
    return load_file(path) if path.exists() else None


def _object_panes(galleries: list[_Gallery], *, names: tuple[str, ...]) -> list[Pane]:
    """Show the first image that was right before, or the first of all."""
    first = galleries[0]
    head = next(name.removeprefix("truth.") for name in first if name.startswith("truth."))
    right = (first[f"clean.{head}"] == first[f"truth.{head}"]).nonzero()
    place = int(right[0]) if len(right) else 0
    clean = first["clean"][place]
    panes = [Pane(image=clean, says=_named(first[f"clean.{head}"][place], names))]
    for gallery in galleries:
        attacked = gallery["attacked"][place]
        panes.append(change_pane(clean, attacked=attacked))
        panes.append(Pane(image=attacked, says=_named(gallery[f"attacked.{head}"][place], names)))
    return panes


def _named(number: Tensor, names: tuple[str, ...]) -> str:
    return names[int(number)].replace("_", " ")


def _room_panes(gallery: _Gallery, *, task: str) -> list[Pane]:
    clean, attacked = gallery["clean"][0], gallery["attacked"][0]
    maps = [gallery[f"{moment}.{task}"][0] for moment in ("truth", "clean", "attacked")]
    drawn = [Pane(image=one, says="") for one in _drawn(maps, task=task)]
    return [Pane(image=clean, says=""), change_pane(clean, attacked=attacked), Pane(image=attacked, says=""), *drawn]


def _drawn(maps: list[Tensor], *, task: str) -> list[Tensor]:
    """Draw truth and predictions in the same colours."""
    if task == "segmentation":
        return [classes_picture(one) for one in maps]
    if task == "normals":
        return [directions_picture(one.float()) for one in maps]
    scale = spanning([one[0].float() for one in maps], colours="viridis", unit="m")
    return [quantity_picture(one[0].float(), scale=scale) for one in maps]
