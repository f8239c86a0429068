"""Numbering plans of the world as regular expressions, one per calling code."""

import re
from collections.abc import Sequence
from functools import lru_cache

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, SUPPORTED_REGIONS, PhoneMetadata
from phonenumbers.phonemetadata import PhoneNumberDesc

from campaigns.rules.country_names import NAMES

LONGEST = 15


def calling_code(digits: str) -> str:
    """Return the country code that E.164 digits begin with, or nothing."""
    for length in (1, 2, 3):
        if int(digits[:length] or 0) in COUNTRY_CODE_TO_REGION_CODE and digits[0] != "0":
            return digits[:length]
    return ""


@lru_cache(maxsize=300)
def plans_of(code: str) -> Sequence[PhoneMetadata]:
    """Return the plans behind a calling code, the main country first."""
    number = int(code)
    regions = COUNTRY_CODE_TO_REGION_CODE[number]
    if regions == ("001",):
        found = [PhoneMetadata.metadata_for_nongeo_region(number)]
    else:
        found = [PhoneMetadata.metadata_for_region(region) for region in regions]
    return [plan for plan in found if plan is not None]


@lru_cache(maxsize=300)
def pattern_of(code: str) -> re.Pattern[str]:
    """Return the plan of a calling code for the national part of a number; see plan_text."""
    return re.compile(plan_text(code), re.ASCII)


def plan_text(code: str) -> str:
    """Return the groups `mobile`, `fixed` and `other` for the national part of a number.

    `other` is what the plan allows at the length of a mobile number and says nothing more about:
    new ranges, and those kept for fiction.
    """
    plans = plans_of(code)
    mobile = _either([plan.mobile for plan in plans])
    fixed = _either([desc for plan in plans for desc in _not_for_sms(plan)])
    general = _either([plan.general_desc for plan in plans])
    lengths = "|".join(rf"\d{{{length}}}\Z" for length in lengths_of(plans))
    return rf"(?P<mobile>{mobile})|(?P<fixed>{fixed})|(?P<other>(?={lengths})(?:{general}))"


def _not_for_sms(plan: PhoneMetadata) -> tuple[PhoneNumberDesc | None, ...]:
    return (plan.fixed_line, plan.toll_free, plan.premium_rate, plan.shared_cost, plan.uan)


def _either(descriptions: Sequence[PhoneNumberDesc | None]) -> str:
    patterns = [
        desc.national_number_pattern
        for desc in descriptions
        if desc is not None and desc.national_number_pattern
    ]
    return "|".join(dict.fromkeys(patterns)) or "(?!)"


def lengths_of(plans: Sequence[PhoneMetadata]) -> Sequence[int]:
    """Return how many national digits a number that gets SMS may have, without the country code."""
    found: set[int] = set()
    for plan in plans:
        for desc in (plan.mobile, plan.general_desc):
            if desc is not None and desc.possible_length:
                found.update(desc.possible_length)
                break
    return sorted(length for length in found if 0 < length <= LONGEST)


def countries() -> list[tuple[str, str, str]]:
    """Return (ISO code, English name, calling code) of every country with a plan, by name."""
    found = []
    for region in SUPPORTED_REGIONS:
        plan = PhoneMetadata.metadata_for_region(region)
        if plan is not None:
            found.append((region, NAMES.get(region, region), str(plan.country_code)))
    return sorted(found, key=lambda country: country[1])


def is_country(code: str) -> bool:
    """Say whether numbers of a country can be read; '' is for numbers with their country code."""
    return not code or code in SUPPORTED_REGIONS
