"""The guards as the migrations made them are the guards that the nightly check knows."""

from audit.queries.guards import check_guards, shape_digests, source_digests
from audit.rules.findings import Report
from audit.rules.guards import FUNCTIONS, SHAPES
from tests.audit.conftest import Log


def test_a_fresh_database_has_every_guard(untouched: Log) -> None:
    report = Report()
    check_guards(untouched.connect("app"), report)
    assert [one.sentence for one in report.findings] == []


def test_the_published_digests_are_those_of_the_functions(untouched: Log) -> None:
    """After a change of a function: put the printed lines into audit/rules/guards.py."""
    found = source_digests(untouched.connect("app"))
    lines = [f'    "{name}": "{digest}",' for name, digest in sorted(found.items())]
    assert found == FUNCTIONS, "\n" + "\n".join(lines)


def test_the_published_shapes_are_those_of_the_tables(untouched: Log) -> None:
    """After a change of a table: put the printed lines into audit/rules/guards.py."""
    found = shape_digests(untouched.connect("app"))
    lines = [f'    "{name}": "{digest}",' for name, digest in sorted(found.items())]
    assert found == SHAPES, "\n" + "\n".join(lines)
