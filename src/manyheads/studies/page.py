"""What a study of several parts leaves to read: a page, a document with its tables, and figures."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from manyheads import __version__
from manyheads.experiments import RunFiles, to_json
from manyheads.experiments.guard_record import code_version
from manyheads.reports import Provenance, ReportContents, Section, to_markdown, write_report


def write_page(
    folder: Path, sections: Mapping[str, Section], *, title: str, files: Sequence[RunFiles], seeds: Sequence[int]
) -> None:
    """Write `report.html`, `results.md` and one SVG file per figure.

    Args:
        folder: where they go.
        sections: what is shown, by the name of the part of the study.
        title: heading of both.
        files: the runs that it rests on.
        seeds: of these runs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    provenance = _provenance(files, seeds=seeds)
    contents = ReportContents(
        title=title,
        findings=(),
        cautions=(),
        sections=tuple(sections.values()),
        provenance=provenance,
    )
    write_report(folder / "report.html", contents)
    parts = [f"# {title}", _origin(provenance, runs=len(files))]
    for name, section in sections.items():
        parts += [f"## {section.title}", *section.text, *(to_markdown(table) for table in section.tables)]
        for place, picture in enumerate(section.pictures, start=1):
            path = folder / f"{name}-{place}.svg"
            path.write_bytes(picture.svg)
            parts.append(f"![{picture.says.splitlines()[0]}]({path.name})")
    (folder / "results.md").write_text("\n\n".join(part.strip() for part in parts) + "\n", encoding="utf-8")


def _origin(provenance: Provenance, *, runs: int) -> str:
    return (
        f"{provenance.date}, commit {provenance.commit or 'unknown'}, {provenance.seeded}, {runs} runs. n is the "
        "number of test images. With several seeds, a number is their mean, with the lowest and the highest of them in "
        "brackets; with one, brackets hold a 95 % interval over the images."
    )


def _provenance(files: Sequence[RunFiles], *, seeds: Sequence[int]) -> Provenance:
    experiments = {one.folder.as_posix(): one.read() for one in files}
    finished = max((one.scores.stat().st_mtime for one in files), default=datetime.now(tz=UTC).timestamp())
    return Provenance(
        experiments={name: json.loads(to_json(experiment)) for name, experiment in experiments.items()},
        versions={"manyheads": __version__, **{name: version(name) for name in ("torch", "numpy")}},
        seeds=tuple(seeds),
        date=datetime.fromtimestamp(finished, tz=UTC).date().isoformat(),
        commit=code_version(),
    )
