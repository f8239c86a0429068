"""Who is recognised, who is refused, and what is written down about it."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import hashers
from django.utils.crypto import constant_time_compare

from tests.workspaces import make
from tests.workspaces.log import entries, ops
from workspaces.actions.guesses import LockedOut, sweep_guesses
from workspaces.actions.sign_in import SignInRefused, recognise
from workspaces.models import SignInFailure, User

NOW = make.NOW
ADDRESS = "192.0.2.7"

pytestmark = pytest.mark.django_db


@pytest.fixture
def dora(db: None) -> User:
    return make.user("Dora", email="Dora@example.com", password=make.PASSWORD)


def attempt(
    email: str = "dora@example.com",
    password: str = make.PASSWORD,
    *,
    address: str = ADDRESS,
    after: timedelta = timedelta(),
) -> User:
    return recognise(email=email, password=password, address=address, now=NOW + after)


def fail(count: int = 1, email: str = "dora@example.com", **where: Any) -> None:
    for _ in range(count):
        with pytest.raises((SignInRefused, LockedOut)):
            attempt(email, "not this one", **where)


def test_the_right_password_is_recognised_whatever_the_case_of_the_address(dora: User) -> None:
    assert attempt(" DORA@Example.com ") == dora


def test_wrong_and_unknown_get_the_same_sentence(dora: User) -> None:
    with pytest.raises(SignInRefused) as wrong:
        attempt(password="not this one")
    with pytest.raises(SignInRefused) as unknown:
        attempt("nobody@example.com")
    assert wrong.value.sentence == unknown.value.sentence


def test_an_unknown_address_costs_a_hash_too(dora: User, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []
    encode = hashers.Argon2PasswordHasher.encode

    def counting(self: Any, password: str, salt: str) -> str:
        hashed.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(hashers.Argon2PasswordHasher, "encode", counting)
    fail(email="nobody@example.com")
    assert hashed == ["not this one"]


def test_a_disabled_account_gets_the_same_sentence(dora: User) -> None:
    User.objects.filter(pk=dora.pk).update(is_active=False)
    with pytest.raises(SignInRefused, match="One of them is not right"):
        attempt()


def test_a_failure_is_recorded_without_what_was_typed(dora: User) -> None:
    fail()
    entry = entries()[-1]
    assert (entry["op"], entry["res"]) == ("user.sign_in_failed", "denied")
    assert entry["obj"]["id"] == f"usr_{dora.pk}"
    assert set(entry["pd"]) == {"account", "address"}
    assert "dora@" not in str(entry).lower()
    assert ADDRESS not in str(entry)


def test_the_fifth_failure_locks_the_account_and_says_until_when(dora: User) -> None:
    fail(4)
    with pytest.raises(LockedOut, match=r"15 min, until 09:15 UTC") as locked:
        attempt(password="not this one")
    assert locked.value.until == NOW + timedelta(minutes=15)
    assert ops()[-1][0] == "user.locked_out"


def test_a_locked_account_refuses_the_right_password_too(dora: User) -> None:
    fail(5)
    with pytest.raises(LockedOut):
        attempt(after=timedelta(minutes=14))


def test_a_locked_account_is_locked_from_everywhere(dora: User) -> None:
    fail(5)
    with pytest.raises(LockedOut):
        attempt(address="198.51.100.1")


def test_the_lock_ends(dora: User) -> None:
    fail(5)
    assert attempt(after=timedelta(minutes=15)) == dora


def test_attempts_during_the_lock_do_not_prolong_it(dora: User) -> None:
    fail(5)
    fail(3, after=timedelta(minutes=14))
    assert attempt(after=timedelta(minutes=15)) == dora


def test_an_unknown_account_is_locked_like_a_known_one() -> None:
    fail(4, "nobody@example.com")
    with pytest.raises(LockedOut):
        attempt("nobody@example.com")


def test_an_address_is_locked_over_many_accounts(settings: Any) -> None:
    settings.SIGN_IN_FAILURES_PER_ADDRESS = 3
    make.user("Dora", email="dora@example.com", password=make.PASSWORD)
    for number in range(3):
        fail(email=f"nobody{number}@example.com")
    with pytest.raises(LockedOut):
        attempt()
    assert attempt(address="198.51.100.1").email == "dora@example.com"


def test_a_right_password_forgets_the_failures_of_the_account_only(dora: User) -> None:
    fail(4)
    fail(1, "nobody@example.com")
    attempt()
    assert [row.account for row in SignInFailure.objects.all()] == ["nobody@example.com"]


def test_a_guess_is_counted_before_it_is_checked(
    dora: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[int] = []

    def looking(*_: Any) -> bool:
        counted.append(SignInFailure.objects.count())
        return constant_time_compare("a", "a")

    monkeypatch.setattr(User, "check_password", looking)
    attempt()
    assert counted == [1]


def test_demo_accounts_are_refused_outside_the_demo(settings: Any) -> None:
    make.user("Demo", email="demo@example.com", password=make.PASSWORD, is_demo=True)
    settings.DEBUG = False
    with pytest.raises(SignInRefused, match="belongs to the demo"):
        attempt("demo@example.com")


def test_demo_accounts_sign_in_to_the_demo(settings: Any) -> None:
    demo = make.user("Demo", email="demo@example.com", password=make.PASSWORD, is_demo=True)
    settings.DEBUG = True
    assert attempt("demo@example.com") == demo


def test_a_demo_account_is_not_told_so_before_the_password_is_right(settings: Any) -> None:
    make.user("Demo", email="demo@example.com", password=make.PASSWORD, is_demo=True)
    settings.DEBUG = False
    with pytest.raises(SignInRefused, match="One of them is not right"):
        attempt("demo@example.com", "not this one")


def test_failures_that_lock_nobody_any_more_are_swept(dora: User) -> None:
    fail(2)
    fail(1, after=timedelta(minutes=20))
    assert sweep_guesses(NOW + timedelta(minutes=31)) == 2
