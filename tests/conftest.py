"""Shapes and types are checked in every test, by beartype; the package itself runs without those checks."""

import os
from pathlib import Path

import pytest
import torch
from hypothesis import settings
from jaxtyping import install_import_hook

install_import_hook("manyheads", "beartype.beartype")

torch.set_num_threads(1)

# A slow machine is no failure: no test is judged by its time. Nor is a change judged by the luck of a draw.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")

DEVICE = torch.device(os.environ.get("MANYHEADS_TEST_DEVICE", "cpu"))
DATA_REQUIRED = os.environ.get("MANYHEADS_REQUIRE_DATA") == "1"
SEED = int(os.environ.get("MANYHEADS_TEST_SEED", "0"))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data sets; its tests skip where it is absent."""
    folder = Path(os.environ.get("MANYHEADS_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; set MANYHEADS_DATA to the folder that holds it")
    return folder


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup():
    """Begin every test, before its fixtures, with the same random numbers, whatever ran before it in its process."""
    torch.manual_seed(SEED)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item):
    """Fail a test on real data that skips where MANYHEADS_REQUIRE_DATA=1 says that the data is there."""
    report = yield
    if DATA_REQUIRED and report.skipped and item.get_closest_marker("real_data"):
        report.outcome = "failed"
        report.longrepr = f"MANYHEADS_REQUIRE_DATA=1, but this test skipped: {report.longrepr}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter):
    """Say how many tests saw real data."""
    reports = {outcome: terminalreporter.getreports(outcome) for outcome in ("passed", "failed", "error", "skipped")}
    counts = {
        outcome: sum(
            "real_data" in report.keywords
            for report in found
            if isinstance(report, pytest.TestReport) and (report.when == "call" or outcome != "passed")
        )
        for outcome, found in reports.items()
    }
    terminalreporter.write_line("on real data: " + ", ".join(f"{count} {outcome}" for outcome, count in counts.items()))
    if DATA_REQUIRED and not counts["passed"]:
        raise pytest.UsageError("MANYHEADS_REQUIRE_DATA=1, but no test on real data passed")
