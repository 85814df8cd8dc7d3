"""The command `manyheads study`. Nothing heavy is imported before it runs, so that `--help` answers at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast, get_args

import tyro
from rich.console import Console
from rich.markup import escape

if TYPE_CHECKING:
    from manyheads.experiments import RayCluster
    from manyheads.studies import Study
    from manyheads.studies.guo2020 import GeneratorStudy
    from manyheads.studies.honest import HonestStudy
    from manyheads.studies.mao2020 import DenseStudy

_Classified = Literal["mnist", "svhn", "gtsrb", "cifar10", "tiny_imagenet"]
_Rooms = Literal["taskonomy", "nyuv2"]
_MaoPart = Literal["figure4", "figure5", "table1", "table2", "table3", "figure7"]
_GuoPart = Literal["table1", "table2", "table3", "table4", "table5", "table6", "table7", "ablation"]


@dataclass(frozen=True)
class StudyOptions:
    """What a study can be told.

    Args:
        data: data sets of hyun2024, all that lie in the data root if none is named; of honest (mnist, gtsrb, cifar10),
            all if none is named; or the rooms of mao2020's profile `paper`, `taskonomy` if none is named.
        part: tables and figures of mao2020 (figure4, figure5, figure7, table1 to table3) and guo2020 (table1 to table7,
            ablation); all if none is named.
        profile: `quick` for small models on two cores, `paper` for the paper's setting on a GPU.
        data_root: the folder that holds the data sets in their official layouts.
        seed: decides everything random, in demo and hyun2024.
        seeds: seeds of honest, mao2020 and guo2020, whose tables show means over them.
        jobs: how many experiments run at once, each in a process and on one thread of its own.
        ray: run on Ray instead: `local` for a cluster of its own on this machine, with as many experiments at once as
            --jobs says; or the address of one that is there, such as `auto`.
        gpus: GPUs of each experiment on Ray; a fraction shares one.
        folder: where runs are kept.
    """

    data: tuple[_Classified | _Rooms, ...] = ()
    part: tuple[_MaoPart | _GuoPart, ...] = ()
    profile: Literal["quick", "paper"] = "quick"
    data_root: Path | None = None
    seed: int = 0
    seeds: tuple[int, ...] = (0,)
    jobs: int = 1
    ray: str | None = None
    gpus: float = 0.0
    folder: Path = Path("runs")


def study(
    name: tyro.conf.Positional[Literal["demo", "hyun2024", "honest", "mao2020", "guo2020"]],
    /,
    options: Annotated[StudyOptions, tyro.conf.arg(name="")] = StudyOptions(),
) -> None:
    """Run a grid of experiments, print its tables and write a report.

    What was run already is not run again: call it anew to go on after an interruption.

    Args:
        name: `demo` runs on embedded digits, `hyun2024` is the study of Hyun & Park 2024 (hidden tasks), `honest` asks
            what of their gain is left once an attacker knows them, `mao2020` is the study of Mao et al. 2020 (dense
            tasks), `guo2020` that of Guo et al. 2020 (generators of perturbations).
        options: see below.
    """
    from manyheads.experiments import bars
    from manyheads.reports import to_rich

    console = Console()
    cluster = _cluster(options)
    makers = {"demo": _demo, "hyun2024": _hyun2024, "honest": _honest, "mao2020": _mao2020, "guo2020": _guo2020}
    for one in makers[name](options, console):
        with bars(console) as shown:
            tables = one.conduct(shown, jobs=options.jobs, ray=cluster)
        for table in tables:
            console.print(to_rich(table, width=min(console.width, 140)), "")
        say(console, f"report: {one.folder / 'report.html'}, tables: {one.folder / 'results.md'}")


def say(console: Console, text: str) -> None:
    """Print a line as it is: unbroken, without markup."""
    console.print(escape(text), soft_wrap=True, highlight=False)


def _cluster(options: StudyOptions) -> "RayCluster | None":
    from manyheads.experiments import RayCluster

    if options.ray is None:
        if options.gpus:
            raise ValueError("--gpus is a share of a cluster; say which with --ray ADDRESS, or --ray local")
        return None
    at_once = options.jobs if options.jobs != 1 else None
    return RayCluster(address=options.ray, at_once=at_once, gpus=options.gpus)


def _demo(options: StudyOptions, console: Console) -> "Sequence[Study]":  # noqa: ARG001 (all makers look alike)
    from manyheads.studies import demo

    if options.data or options.data_root or options.profile != "quick":
        raise ValueError("the demonstration runs on embedded digits; leave --data, --data-root and --profile out")
    _refuse_parts(options)
    return [demo.study(seed=options.seed, folder=options.folder)]


def _hyun2024(options: StudyOptions, console: Console) -> "Sequence[Study]":
    from manyheads.studies import hyun2024

    _refuse_parts(options)
    root = _root(options)
    rooms = [one for one in options.data if one in get_args(_Rooms)]
    if rooms:
        raise ValueError(f"{', '.join(rooms)} is no data set of hyun2024, which has {', '.join(hyun2024.NAMES)}")
    named: list[hyun2024.DataSet] = [one for one in hyun2024.NAMES if one in options.data]
    chosen = named or hyun2024.present(root)
    absent = [title for one, title in hyun2024.NAMES.items() if one not in chosen]
    if absent and not named:
        say(console, f"not in {root}, and so left out: {', '.join(absent)}")
    return [
        hyun2024.study(one, profile=options.profile, data_root=root, seed=options.seed, folder=options.folder)
        for one in chosen
    ]


def _honest(options: StudyOptions, console: Console) -> "Sequence[HonestStudy]":  # noqa: ARG001
    from manyheads.studies import honest

    _refuse_seed(options, name="honest")
    _refuse_others(options, known=(), name="honest")
    chosen: list[honest.DataSet] = [one for one in honest.NAMES if one in options.data]
    strange = [one for one in options.data if one not in honest.NAMES]
    if strange:
        raise ValueError(f"{', '.join(strange)} is no data set of honest, which has {', '.join(honest.NAMES)}")
    root = _root(options)
    return [honest.study(chosen, profile=options.profile, data_root=root, seeds=options.seeds, folder=options.folder)]


def _mao2020(options: StudyOptions, console: Console) -> "Sequence[DenseStudy]":  # noqa: ARG001 (all makers look alike)
    from manyheads.studies import mao2020

    _refuse_seed(options, name="mao2020")
    chosen = cast("list[_MaoPart]", [one for one in get_args(_MaoPart) if one in options.part])
    _refuse_others(options, known=chosen, name="mao2020")
    rooms: list[_Rooms] = [one for one in options.data if one == "taskonomy" or one == "nyuv2"]  # noqa: PLR1714 (types)
    if len(rooms) != len(options.data) or len(rooms) > 1 or (rooms and options.profile == "quick"):
        raise ValueError(
            "--data chooses the rooms of mao2020's profile paper, taskonomy or nyuv2; the profile quick has NYUv2. "
            f"Got {', '.join(options.data)} in the profile {options.profile}"
        )
    return [
        mao2020.study(
            chosen,
            profile=options.profile,
            data_root=_root(options),
            seeds=options.seeds,
            indoor=rooms[0] if rooms else "taskonomy",
            folder=options.folder,
        )
    ]


def _guo2020(options: StudyOptions, console: Console) -> "Sequence[GeneratorStudy]":  # noqa: ARG001
    from manyheads.studies import guo2020

    _refuse_seed(options, name="guo2020")
    chosen = cast("list[_GuoPart]", [one for one in get_args(_GuoPart) if one in options.part])
    _refuse_others(options, known=chosen, name="guo2020")
    if options.data:
        raise ValueError(f"the parts of guo2020 say which data they need; leave --data {' '.join(options.data)} out")
    root = options.data_root if chosen == ["table7"] else _root(options)  # which needs no data
    made = guo2020.study(chosen, profile=options.profile, data_root=root, seeds=options.seeds, folder=options.folder)
    return [made]


def _refuse_seed(options: StudyOptions, *, name: str) -> None:
    if options.seed:
        raise ValueError(f"{name} runs several seeds; write --seeds {options.seed} instead of --seed {options.seed}")


def _refuse_others(options: StudyOptions, *, known: Sequence[str], name: str) -> None:
    """Refuse parts of another study."""
    strange = [one for one in options.part if one not in known]
    if strange:
        raise ValueError(f"{', '.join(strange)} is no part of {name}; manyheads study --help lists them")


def _root(options: StudyOptions) -> Path:
    if options.data_root is None:
        raise ValueError("this study reads real data; say where it lies with --data-root DIR")
    return options.data_root


def _refuse_parts(options: StudyOptions) -> None:
    if options.part or options.seeds != StudyOptions.seeds:
        raise ValueError(
            "--part is that of mao2020 and guo2020, --seeds theirs and that of honest; this study takes --seed, and "
            "--data for its parts"
        )
