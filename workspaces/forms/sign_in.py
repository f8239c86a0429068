"""Forms around signing in. Passwords are never written back into a page."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

# Long enough for any sentence; a limit keeps hashing cheap.
LONGEST_PASSWORD = 1024


def password_field(label: Any, *, is_new: bool, **options: Any) -> forms.CharField:
    """Return a field for a password as it is typed, spaces included."""
    complete = "new-password" if is_new else "current-password"
    return forms.CharField(
        label=label,
        strip=False,
        max_length=LONGEST_PASSWORD,
        widget=forms.PasswordInput(attrs={"autocomplete": complete}),
        **options,
    )


class SignInForm(forms.Form):
    """Address and password."""

    email = forms.CharField(
        label=_("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
        error_messages={"required": _("Enter your e-mail address.")},
    )
    password = password_field(
        _("Password"), is_new=False, error_messages={"required": _("Enter your password.")}
    )


class NewPasswordForm(forms.Form):
    """A new password, typed twice."""

    password = password_field(
        _("New password"),
        is_new=True,
        help_text=_("At least 12 characters. A sentence is easier to remember than signs."),
    )
    again = password_field(_("New password again"), is_new=True)

    def clean(self) -> dict[str, Any]:
        """Compare the two."""
        cleaned = super().clean() or {}
        if cleaned.get("password") and cleaned.get("again") not in {None, cleaned["password"]}:
            self.add_error("again", _("The two passwords differ. Type the new one again."))
        return cleaned


class ChangePasswordForm(NewPasswordForm):
    """The password now, and a new one."""

    old = password_field(_("Password now"), is_new=False)
    field_order = ["old", "password", "again"]


class NewPersonForm(NewPasswordForm):
    """What an invited person tells about himself."""

    name = forms.CharField(
        label=_("Your name"),
        max_length=150,
        help_text=_("As your colleagues know you. It stands beside what you do."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    field_order = ["name", "password", "again"]


class LinkForm(forms.Form):
    """Where to send a link to set a password."""

    email = forms.EmailField(
        label=_("E-mail address"), widget=forms.EmailInput(attrs={"autocomplete": "username"})
    )
