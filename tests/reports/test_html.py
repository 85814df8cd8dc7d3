import json
import re
from base64 import b64decode
from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO
from xml.etree import ElementTree as ET

import polars as pl
import pytest
from PIL import Image

from manyheads.reports import (
    Provenance,
    ReportContents,
    Section,
    Verdict,
    accuracy_section,
    cautions,
    checklist,
    findings,
    gallery_section,
    hidden_section,
    rejection_section,
    to_html,
    training_section,
    write_report,
)

VOID = {"meta", "img", "br", "link", "wbr"}


class Page(HTMLParser):
    """Tags, attributes and visible text of a page; every tag must be closed in order."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.words, self.open = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.open += [tag] * (tag not in VOID)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    def attributes(self, name):
        return [attributes[name] for _, attributes in self.tags if name in attributes]


@pytest.fixture(scope="module")
def contents(results, exhibits, history):
    provenance = Provenance(
        experiments={"digits <1>": {"name": "digits", "eps": 8 / 255, "tasks": ["digit", "parity"]}},
        versions={"manyheads": "0.1.0"},
        seeds=(7,),
        date="2026-11-21",
        parameters={"main+parity hardened": (1234567, 650)},
    )
    sections = (
        accuracy_section(results, printed={("main", "plain", "clean"): 0.993}),
        rejection_section(results),
        hidden_section(results),
        training_section({"main": history}),
        gallery_section(exhibits),
    )
    return ReportContents(
        title="hidden <tasks>",
        findings=findings(results),
        cautions=cautions(results),
        sections=sections,
        provenance=provenance,
    )


@pytest.fixture(scope="module")
def page(contents):
    return Page(to_html(contents))


def test_every_tag_is_closed_in_order(page):
    assert page.open == []
    assert {"table", "figure", "details", "style"} <= {tag for tag, _ in page.tags}


def test_nothing_is_loaded_from_anywhere(contents, page):
    sources = [*page.attributes("src"), *page.attributes("href")]
    assert len(sources) > 20
    assert all(source.startswith(("data:image/", "#")) for source in sources)
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in page.tags}
    text = to_html(contents)
    assert not re.search(r"@import|url\(|https?://", text)


def test_links_lead_to_parts_of_the_page(page):
    assert {href[1:] for href in page.attributes("href")} <= set(page.attributes("id"))


def test_every_image_can_be_opened_and_is_described(page):
    images = [attributes for tag, attributes in page.tags if tag == "img"]
    assert all(image["alt"] for image in images)
    kinds = set()
    for image in images:
        kind, data = image["src"].split(";base64,")
        kinds.add(kind)
        content = b64decode(data, validate=True)
        if_png = {"data:image/png": lambda raw: Image.open(BytesIO(raw)).verify()}
        if_png.get(kind, ET.fromstring)(content)
    assert kinds == {"data:image/png", "data:image/svg+xml"}


def test_names_are_escaped(contents, page):
    said = "".join(page.words)
    assert "hidden <tasks>" in said
    assert "digits <1>" in said
    assert "<tasks>" not in to_html(contents)


def test_class_names_are_escaped(contents, exhibits):
    named = replace(exhibits[0], class_names={"parity": ("<b>even</b>", "a & b")})
    text = to_html(replace(contents, sections=(gallery_section([named]),)))
    assert "&lt;b&gt;even&lt;/b&gt;" in text
    assert "a &amp; b" in text
    assert "<b>even" not in text


def test_the_numbers_of_the_tables_stand_on_the_page(contents, page):
    said = " ".join(page.words)
    cells = [
        cell for section in contents.sections for table in section.tables for row in table.rows for cell in row.cells
    ]
    assert len(cells) > 100
    assert all(cell.text in said and cell.interval in said for cell in cells)
    assert "paper 99.30" in said
    assert all(table.footnote in said for section in contents.sections for table in section.tables)


def test_cautions_stand_before_the_first_section(contents):
    text = to_html(contents)
    assert 0 < text.index("Gray-box gains that vanish") < text.index('id="section-1"')


def test_the_experiment_is_there_as_json(contents, page):
    text = next(words for words in page.words if words.startswith("{\n"))
    assert json.loads(text) == contents.provenance.experiments["digits <1>"]


def test_provenance_names_all_that_is_known(page):
    said = " ".join(page.words)
    assert "1,234,567" in said
    assert "seed 7" in said
    assert "unknown" in said


def test_a_known_commit_is_named(contents):
    known = replace(contents, provenance=replace(contents.provenance, commit="0123abc"))
    assert to_html(known).count("0123abc") == 2


def test_a_gray_box_gallery_never_stands_without_a_word_on_the_adaptive_one(contents, exhibits):
    text = to_html(replace(contents, findings=(), cautions=(), sections=(gallery_section(exhibits[:1]),)))
    assert re.search(r"<h4>adaptive</h4>\s*<p class=\"soft\">not measured</p>", text)


def test_galleries_of_one_model_and_attack_share_a_heading(contents, exhibits):
    other = replace(exhibits[0], model="main+composite hardened")
    mixed = (exhibits[0], other, *exhibits[1:])
    text = to_html(replace(contents, sections=(gallery_section(mixed),)))
    headings = re.findall(r"<h3>(.*?)</h3>", text)
    assert headings == [
        "main+parity hardened: pgd untargeted (L∞ 8/255)",
        "main+composite hardened: pgd untargeted (L∞ 8/255)",
    ]
    assert re.findall(r"<h4>(.*?)</h4>", text) == ["gray-box", "white-box", "adaptive", "gray-box", "adaptive"]


def test_a_page_needs_no_optional_part(contents):
    bare = replace(contents, findings=(), cautions=(), sections=(Section(title="nothing"),))
    assert Page(to_html(bare)).open == []


def test_the_same_contents_give_the_same_page(contents):
    assert to_html(contents) == to_html(contents)


def test_the_page_is_written_with_its_folders(tmp_path, contents):
    path = tmp_path / "runs" / "one" / "report.html"
    write_report(path, contents)
    assert path.read_text(encoding="utf-8") == to_html(contents)


def test_a_verdict_stands_before_all_else_in_its_colour(contents):
    verdict = Verdict(title="m", claimed="was <claimed>", stands="stands", checks="c", failed=("slope",), tone="bad")
    page = to_html(replace(contents, verdicts=(verdict,)))
    assert 'class="verdict bad"' in page
    assert page.index("was &lt;claimed&gt;") < page.index("<b>stands</b>") < page.index("✗ slope")
    assert page.index("✗ slope") < page.index('class="finding"')
    Page(page)


def test_checks_are_cells_in_green_red_and_grey(contents):
    rows = [("a", "passed", "1 %", 3), ("b", "failed", "2 %", 3), ("c", "not applicable", "none", 0)]
    table = pl.DataFrame(rows, schema=["check", "outcome", "figures", "n"], orient="row")
    section = Section(title="Checks", checklists=(checklist({"m": table, "n": table.head(1)}),))
    page = to_html(replace(contents, sections=(section,)))
    found = [name for name in Page(page).attributes("class") if name.startswith("first ") and name != "first marked"]
    assert found == ["first passed", "first passed", "first failed", "first not-applicable", "first not-applicable",
                     "first not-applicable"]  # fmt: skip
    assert "2 % (n = 3)" in page


def test_a_page_of_several_seeds_names_them_all(contents):
    page = to_html(replace(contents, provenance=replace(contents.provenance, seeds=(7, 11))))
    assert "2026-11-21, seeds 7, 11<" in page
    assert "<dt>Seeds</dt><dd>7, 11</dd>" in page
