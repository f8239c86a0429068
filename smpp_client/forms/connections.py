"""Forms of the wire: a connection, a route with its weights, a grant."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from smpp_client.models import Alphabet, Connection, MessageIdRule
from smpp_client.queries.connection_settings import SETTINGS, ConnectionSettings, settings_of
from workspaces.models import Workspace
from workspaces.rules.refusal import Refusal

WEIGHT = "weight_"
TONS = ((3, _("Network specific (3)")), (0, _("Unknown (0)")))


def _text(label: Any, help_text: Any = "", **options: Any) -> forms.CharField:
    """Return a text field of settings: what is missing in it is told by the settings' own rules."""
    return forms.CharField(label=label, help_text=help_text, required=False, **options)


class ConnectionForm(forms.Form):
    """A connection's settings. The password is written here and never shown.

    Numbers are required here; everything else is judged in smpp_client.queries.connection_settings.
    """

    name = forms.CharField(
        label=_("Name"),
        max_length=40,
        help_text=_("Small letters, digits and hyphens. It cannot be changed later."),
    )
    host = _text(_("Host"), _("A host name or an IP address of the partner."))
    port = forms.IntegerField(label=_("Port"), initial=2775)
    system_id = _text(_("system_id"), _("At most 15 characters, as the partner gave it."))
    password = forms.CharField(
        label=_("Password"),
        required=False,
        strip=False,
        help_text=_("At most 8 characters (SMPP 3.4). It is stored sealed and never shown again."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    system_type = _text(_("system_type"), _("Only if the partner asks for one."))
    ca_file = _text(
        _("CA file"), _("Who signs the partner's certificate. The whole path of a PEM file.")
    )
    cert_file = _text(_("Certificate file"), _("Ours, with its chain. The whole path."))
    key_file = _text(_("Key file"), _("Its key, without a password. The whole path."))
    server_name = _text(
        _("Name in the partner's certificate"), _("Empty means the same as the host.")
    )
    plain_reason = _text(
        _("Why without TLS"), _("Only for an exception, for example because IPsec protects it.")
    )
    plain_until = forms.DateField(
        label=_("Without TLS until"),
        required=False,
        help_text=_("The last day of the exception. Afterwards the connection does not bind."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    rate = forms.IntegerField(label=_("Rate"), initial=100, help_text=_("Segments a second."))
    window = forms.IntegerField(
        label=_("Window"), initial=50, help_text=_("Segments that may wait for their answer.")
    )
    intent_budget = forms.IntegerField(
        label=_("Intent budget"),
        required=False,
        help_text=_(
            "The most segments that one killed session can leave unknown. Empty means the window."
        ),
    )
    alphabet = forms.ChoiceField(
        label=_("Default alphabet"),
        choices=Alphabet.choices,
        help_text=_("What the partner takes data coding 0 for."),
    )
    message_id_rule = forms.ChoiceField(
        label=_("Message ids in receipts"), choices=MessageIdRule.choices
    )
    short_code_ton = forms.TypedChoiceField(
        label=_("Type of number of short codes"), choices=TONS, coerce=int
    )
    enquire_seconds = forms.FloatField(
        label=_("enquire_link every"), initial=30, help_text=_("Seconds of silence.")
    )
    response_seconds = forms.FloatField(
        label=_("An answer is late after"), initial=60, help_text=_("Seconds.")
    )
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, connection: Connection | None = None, **kwargs: Any) -> None:
        if connection is not None:
            now = settings_of(connection)
            stored = {name: getattr(now, name) for name in SETTINGS}
            kwargs.setdefault("initial", {**stored, "seen": connection.version})
        super().__init__(*args, **kwargs)
        for name in ("host", "system_id", "ca_file", "cert_file", "key_file", "server_name"):
            self.fields[name].widget.attrs |= {"autocomplete": "off", "spellcheck": "false"}
        if connection is not None:
            del self.fields["name"]
            self.fields["password"].label = _("New password")
            self.fields["password"].help_text = _("Empty keeps the one it has.")

    def settings(self) -> ConnectionSettings:
        """Return what was typed; the form is valid as far as it judges."""
        return ConnectionSettings(**{name: self.cleaned_data[name] for name in SETTINGS})

    def show(self, refusal: Refusal) -> None:
        """Put everything that a verb refused at its field."""
        for fault in getattr(refusal, "faults", []) or [refusal]:
            field = fault.field if fault.field in self.fields else None
            self.add_error(field, fault.sentence)


class SeenForm(forms.Form):
    """The version of a connection that was seen."""

    seen = forms.IntegerField(widget=forms.HiddenInput)


class RouteForm(forms.Form):
    """A route: a weight for each connection, empty for those that are not part of it."""

    name = forms.CharField(
        label=_("Name"),
        max_length=40,
        help_text=_("Small letters, digits and hyphens. It cannot be changed later."),
    )

    def __init__(
        self,
        *args: Any,
        connections: Iterable[Connection],
        is_new: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        if not is_new:
            del self.fields["name"]
        for connection in connections:
            self.fields[WEIGHT + connection.name] = forms.IntegerField(
                label=_("Weight of %(name)s") % {"name": connection.name},
                required=False,
                min_value=0,
                max_value=1000,
            )

    def weights(self) -> dict[str, int]:
        """Return the weights by the connections' names."""
        return {
            name.removeprefix(WEIGHT): value
            for name, value in self.cleaned_data.items()
            if name.startswith(WEIGHT) and value is not None
        }

    def show(self, refusal: Refusal) -> None:
        """Put a refusal at its field; about the weights it stands above the form."""
        self.add_error(refusal.field if refusal.field in self.fields else None, refusal.sentence)


class GrantForm(forms.Form):
    """A workspace that may use a route."""

    workspace = forms.ModelChoiceField(
        label=_("Workspace"),
        queryset=Workspace.objects.none(),
        to_field_name="slug",
        empty_label=_("Choose a workspace"),
        error_messages={"required": _("Choose a workspace.")},
    )

    def __init__(self, *args: Any, workspaces: Iterable[Workspace] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ids = [workspace.pk for workspace in workspaces]
        field = self.fields["workspace"]
        if isinstance(field, forms.ModelChoiceField):
            field.queryset = Workspace.objects.filter(pk__in=ids).order_by("name")
