"""`pytest --only-listed-skips ENVIRONMENT`: the tests fail when one is skipped for a reason that is not listed here.

For CI, where everything is installed: a test that does not run there is one that nobody runs.  A person without
a browser or a C compiler gets skips as ever.
"""

import re

import pytest

OPTION = "--only-listed-skips"
LISTED = {
    "light": {
        r"the SAM3 environment \(make test-sam3\)|the Ray environment \(make test-ray\)": "these commands run them",
        r"only root can mount|cannot mount here": "containers without the right to mount; where there is one these run",
        r"no namespace can be made here": "likewise, for namespaces",
        r"no control group of version 1 can be made here": "hosts with version 2; other tests read its files",
        r"golden\.json was written on a processor with": "other vector instructions add in another order, and round so",
    },
    "sam3": {},
    "ray": {},
}
"""Reasons of skips (regular expressions) by environment, and why each may be."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        OPTION,
        choices=sorted(LISTED),
        help="Fail on a skip whose reason is not listed for this environment in relight_assets_tests/listed_skips.py.",
    )


def pytest_configure(config: pytest.Config) -> None:
    environment = config.getoption(OPTION)
    if environment is not None and not hasattr(config, "workerinput"):  # xdist's workers report to this process
        config.pluginmanager.register(OnlyListedSkips(environment))


class OnlyListedSkips:
    """Notes every skip of a test or a whole module, and has the session fail for those that are not listed."""

    def __init__(self, environment: str):
        self._environment = environment
        self._unlisted: dict[str, str] = {}

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._note(report)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not hasattr(report, "wasxfail"):
            self._note(report)

    def _note(self, report: pytest.CollectReport | pytest.TestReport) -> None:
        if report.skipped:
            assert isinstance(report.longrepr, tuple)
            reason = report.longrepr[2].removeprefix("Skipped: ")
            if not any(re.match(listed, reason) for listed in LISTED[self._environment]):
                self._unlisted[report.nodeid] = reason

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._unlisted and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self._unlisted:
            return
        terminalreporter.section("skipped for a reason that is not listed in relight_assets_tests/listed_skips.py")
        for place, reason in sorted(self._unlisted.items()):
            terminalreporter.write_line(f"{place}: {reason}")
        terminalreporter.write_line(f"{len(self._unlisted)} skips are not listed for `{self._environment}`", red=True)
