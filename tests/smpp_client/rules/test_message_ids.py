"""One rule per connection relates the ids of receipts to those of responses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpp_client.rules.message_ids import (
    IdRule,
    normalise_receipt_id,
    normalise_response_id,
)

AS_IS, HEX, UNPADDED = IdRule.AS_IS, IdRule.HEX, IdRule.UNPADDED
TO_DECIMAL, TO_HEX = IdRule.HEX_TO_DECIMAL, IdRule.DECIMAL_TO_HEX
UUID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"


@pytest.mark.parametrize(
    ("rule", "response", "receipt", "is_same"),
    [
        (AS_IS, "00B8BE19", "00B8BE19", True),
        (AS_IS, "00B8BE19", "b8be19", False),
        (AS_IS, UUID, UUID, True),
        (TO_DECIMAL, "00B8BE19", "12107289", True),
        (TO_DECIMAL, "b8be19", "0012107289", True),
        (TO_DECIMAL, "12107289", "12107289", False),
        (TO_HEX, "12107289", "B8BE19", True),
        (TO_HEX, "0012107289", "00b8be19", True),
        (HEX, "00B8BE19", "b8be19", True),
        (UNPADDED, "0000123", "123", True),
        (UNPADDED, "0", "000", True),
        (UNPADDED, "00B8BE19", "b8be19", False),
        (TO_DECIMAL, UUID, UUID, True),
    ],
)
def test_ids_match_by_their_rule_and_never_across_rules(
    rule: IdRule, response: str, receipt: str, is_same: bool
) -> None:
    same = normalise_response_id(response, rule) == normalise_receipt_id(receipt, rule)
    assert same is is_same


@given(st.text(), st.sampled_from(IdRule))
def test_any_id_can_be_brought_to_a_form(text: str, rule: IdRule) -> None:
    assert isinstance(normalise_response_id(text, rule), str)
    assert isinstance(normalise_receipt_id(text, rule), str)
