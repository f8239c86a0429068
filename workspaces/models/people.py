"""People and the accounts they sign in with."""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.hashers import check_password
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _


class Person(models.Model):
    """A natural person.

    Four eyes compares persons, so two accounts of one person are one pair of eyes.
    """

    name = models.CharField(max_length=150)

    class Meta:
        db_table = "person"

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager["User"]):
    """Finds accounts by e-mail address, whatever its case."""

    def get_by_natural_key(self, username: str | None) -> "User":
        """Return the account with this address; raises User.DoesNotExist."""
        return self.get(email__iexact=username)


class Theme(models.TextChoices):
    """Light, dark, or what the browser says."""

    SYSTEM = "system", _("As the system")
    LIGHT = "light", _("Light")
    DARK = "dark", _("Dark")


class User(AbstractBaseUser):
    """An account.

    `is_super_admin` is the platform team; every other right comes from a membership.
    """

    email = models.EmailField(unique=True)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="accounts")
    is_super_admin = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    is_demo = models.BooleanField(default=False)
    theme = models.CharField(max_length=6, choices=Theme.choices, default=Theme.SYSTEM)
    has_shortcuts = models.BooleanField(default=True)
    last_workspace = models.ForeignKey(
        "Workspace", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    password_link_sent_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        db_table = "account"
        constraints = [models.UniqueConstraint(Lower("email"), name="account_email_any_case")]

    def __str__(self) -> str:
        return self.email

    @property
    def name(self) -> str:
        """The person's name."""
        return self.person.name

    def check_password(self, raw_password: str | None) -> bool:
        """Compare and change nothing: hashing anew is a verb's (actions/sign_in.py), with an entry.

        The base class would store a new hash here, around every verb.
        """
        return check_password(raw_password, self.password)


class SignInFailure(models.Model):
    """One failed sign-in, kept to lock an account or an address for a while.

    `account` is the address as typed in lower case, known or not, so that locking tells nobody
    which accounts exist.
    """

    account = models.CharField(max_length=254)
    address = models.GenericIPAddressField()
    failed_at = models.DateTimeField()

    class Meta:
        db_table = "sign_in_failure"
        indexes = [
            models.Index(fields=["account", "failed_at"], name="sign_in_failure_account"),
            models.Index(fields=["address", "failed_at"], name="sign_in_failure_address"),
        ]


class Session(models.Model):
    """A browser in which an account is signed in, so that its owner can see it and end it.

    `key` is the key of Django's own session: deleting that one ends this. `public_id` names the
    session in the audit log. Rows past the session's limits are swept.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    key = models.CharField(max_length=40, unique=True)
    public_id = models.CharField(max_length=32, unique=True)
    address = models.GenericIPAddressField()
    browser = models.CharField(max_length=200, blank=True)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    class Meta:
        db_table = "account_session"
        indexes = [models.Index(fields=["user", "seen_at"], name="account_session_user")]
