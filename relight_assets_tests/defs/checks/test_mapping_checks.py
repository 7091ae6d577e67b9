"""All checks on a split's mapping: which there are, and that a good split passes them."""

import dagster as dg

from relight_assets.defs.checks.specs import CHECKS
from relight_assets_tests.conftest import PORTRAITS, Project
from relight_assets_tests.defs.checks.check_runs import checks, failed, run

ALL = {*CHECKS}


def test_a_good_split_passes_them_all_in_its_partition(instance: dg.DagsterInstance, project: Project) -> None:
    project.write_csv("train", PORTRAITS[:2])
    result = run(instance, "train")
    assert result.success
    found = checks(result)
    assert set(found) == ALL
    assert not failed(result)
    assert found["files_match_records"].metadata["files"].value == 12
    assert found["row_counts_reconcile"].metadata["rows_done"].value == 2
    assert {evaluation.partition for evaluation in found.values()} == {"train"}
