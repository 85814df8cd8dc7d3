import re
from dataclasses import replace
from html.parser import HTMLParser

import polars as pl
import pytest

from manyheads.reports import (
    DensePage,
    Provenance,
    Section,
    checklist,
    dense_contents,
    dense_report,
    to_html,
    vulnerability_section,
)

VOID = {"meta", "img", "br", "link", "wbr"}


class Page(HTMLParser):
    """Sources, alternatives and words of a page; every tag must be closed in order."""

    def __init__(self, text):
        super().__init__()
        self.images, self.words, self.open = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.images += [dict(attrs)] * (tag == "img")
        self.open += [tag] * (tag not in VOID)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture(scope="module")
def page(dense, pairs, dense_exhibit, history):
    return DensePage(
        title="rooms <13>",
        results=dense,
        mains=("segmentation", "depth"),
        provenance=Provenance(experiments={"s d": {"name": "rooms"}}, versions={}, seeds=(3,), date="2026-11-21"),
        printed={"depth": {("d", "clean", 0.0): 1.799}},
        detailed=("s d",),
        pairs=pairs,
        vulnerability=vulnerability_section(),
        exhibits=(replace(dense_exhibit, class_names={"segmentation": ("<floor>",)}), dense_exhibit),
        histories={"s d": history},
    )


@pytest.fixture(scope="module")
def contents(page):
    return dense_contents(page)


@pytest.fixture(scope="module")
def text(contents):
    return to_html(contents)


@pytest.fixture(scope="module")
def bare(page):
    return DensePage(title="t", results=page.results, mains=("depth",), provenance=page.provenance)


def test_a_page_with_checks_warns_first_of_those_that_fail(page):
    table = pl.DataFrame({"check": ["a"], "outcome": ["failed"], "figures": ["0 of 9"], "n": [9]})
    made = dense_contents(replace(page, checks=checklist({"s d, seed 3": table})))
    assert [caution.items for caution in made.cautions] == [{"s d, seed 3": ("a: 0 of 9 (n = 9)",)}]
    titles = [section.title for section in made.sections]
    assert titles.index("Can these numbers be believed?") == titles.index("Over the size of the perturbation") + 1


def test_a_page_goes_from_findings_to_training(contents):
    assert [section.title for section in contents.sections] == [
        "Scores under attack",
        "Pairs of tasks",
        "Over the size of the perturbation",
        "Gallery",
        "All tasks",
        "Training",
    ]
    assert len(contents.findings) == 2


def test_the_page_is_one_whole_file(text):
    read = Page(text)
    assert read.open == []
    assert len(read.images) > 40
    assert all(image["src"].startswith("data:image/") and image["alt"] for image in read.images)
    assert not re.search(r"@import|url\(|https?://|<script|<floor>|<13>", text)


def test_the_gallery_tells_what_is_shown(text):
    said = " ".join(Page(text).words)
    for words in ("before: 100 % right", "before: 0.5 m off", "1.13 m", "≥ 4.00 m", "change × 20", "<floor>"):
        assert words in said, words
    assert re.findall(r'<details class="frames"( open)?>', text) == [" open", ""]
    assert len(re.findall(r'<span class="swatch"', text)) == 2 * 2 * 3


def test_the_bars_of_a_finding_are_in_its_unit(text):
    assert "3.20\u00a0m</dd>" in text
    assert "30.0\u00a0%</dd>" in text
    assert 'class="fill clean" style="width: 25.00%"' in text  # 0.8 m beside 3.2 m
    assert 'class="fill clean" style="width: 30.00%"' in text


def test_a_broad_figure_stands_before_the_tables(text):
    part = text[text.index("<h2>Pairs of tasks</h2>") :]
    assert part.index('class="broad"') < part.index("<table>")


def test_a_page_needs_only_scores(bare):
    titles = [section.title for section in dense_contents(bare).sections]
    assert titles == ["Scores under attack", "Over the size of the perturbation"]


def test_a_section_of_vulnerability_is_taken_as_it_is(bare):
    section = Section(title="Vulnerability")
    assert section in dense_contents(replace(bare, vulnerability=section)).sections


def test_a_page_about_nothing_is_refused(page):
    with pytest.raises(ValueError, match="at least one main task, got none"):
        replace(page, mains=())


def test_the_page_is_written_with_its_folders(tmp_path, bare):
    dense_report(tmp_path / "runs" / "report.html", bare)
    assert (tmp_path / "runs" / "report.html").read_text(encoding="utf-8") == to_html(dense_contents(bare))
