from pathlib import Path

from rich.console import Console

from manyheads.attacks import FGSM
from manyheads.experiments import DenseExperiment, DenseTraining, DenseTrial, Scenes, bars, run
from manyheads.reports import Cell, Column, Picture, Row, Section, Table
from manyheads.studies.page import write_page
from manyheads.threats import Linf

TABLE = Table(
    title="One number",
    stub=("tasks",),
    columns=(Column("", "clean"),),
    rows=(Row(labels=("s",), cells=(Cell(value=0.5, n=2),)),),
)
SECTION = Section(
    title="Table 9", text=("What it shows.",), tables=(TABLE,), pictures=(Picture(svg=b"<svg/>", says="A curve."),)
)


def test_a_page_a_document_and_figures_are_written(tmp_path: Path) -> None:
    experiment = DenseExperiment(
        name="tiny",
        scenes=Scenes("drawn", size=(16, 24), train_examples=4, test_examples=2),
        tasks=("depth",),
        training=DenseTraining(epochs=1, batch_size=4),
        trials={"fgsm": DenseTrial(FGSM(), Linf(0.1))},
        seed=7,
        folder=tmp_path,
    )
    with bars(Console(quiet=True)) as quiet:
        files = run(experiment, quiet).files
    write_page(tmp_path / "study", {"table9": SECTION}, title="A study", files=[files], seeds=[7])
    text = (tmp_path / "study" / "results.md").read_text(encoding="utf-8")
    assert text.startswith("# A study\n")
    for said in ("seed 7, 1 runs", "## Table 9", "What it shows.", "| s | 50.0 |", "![A curve.](table9-1.svg)"):
        assert said in text, said
    assert (tmp_path / "study" / "table9-1.svg").read_bytes() == b"<svg/>"
    write_page(tmp_path / "study", {"table9": SECTION}, title="A study", files=[files], seeds=[7, 8])
    assert "seeds 7, 8, 1 runs" in (tmp_path / "study" / "results.md").read_text(encoding="utf-8")
    page = (tmp_path / "study" / "report.html").read_text(encoding="utf-8")
    assert "A study" in page
    assert "Table 9" in page
