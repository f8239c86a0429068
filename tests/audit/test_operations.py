"""The dictionary of operations."""

import pytest

from audit.rules.canonical import OPERATION
from audit.rules.operations import OPERATIONS, UnknownOperation, is_privileged, operation


@pytest.mark.parametrize("op", OPERATIONS)
def test_every_operation_is_a_dotted_verb_with_two_sentences(op: str) -> None:
    assert OPERATION.fullmatch(op)
    assert all(sentence[0].isupper() and sentence[-1] != "." for sentence in OPERATIONS[op])


def test_an_operation_that_is_not_published_is_refused() -> None:
    with pytest.raises(UnknownOperation, match=r"campaign\.explode"):
        operation("campaign.explode")


@pytest.mark.parametrize(
    "op",
    [
        "role.grant",
        "member.add",
        "member.remove",
        "key.create",
        "key.revoke",
        "export.create",
        "workspace.create",
        "pd.erase",
        "sender.changed_outside",
    ],
)
def test_a_privileged_operation_asks_for_an_epoch_at_once(op: str) -> None:
    assert is_privileged(op)


@pytest.mark.parametrize("op", ["campaign.approve", "workspace.enter", "user.sign_in"])
def test_other_operations_wait_for_the_hour(op: str) -> None:
    assert not is_privileged(op)
