"""The form of a connection."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from smpp_client.carrier.adapters import BUILT_IN
from smpp_client.models import (
    Alphabet,
    BindForm,
    Connection,
    LongForm,
    MessageIdRule,
    TlsVersion,
)
from smpp_client.queries.carriers import installed_carriers
from smpp_client.queries.connection_settings import (
    SETTINGS,
    ConnectionSettings,
    faults,
    name_faults,
    password_faults,
    settings_of,
)
from smpp_client.rules.errors import (
    ClassesRefused,
    read_receipt_classes,
    read_status_classes,
    written_classes,
)
from smpp_client.rules.hosts import HostRefused, read_hosts
from smpp_client.rules.pins import PinRefused, read_pins

NEW = asdict(ConnectionSettings("unread", 2775, "unread"))
TONS = ((3, _("Network specific (3)")), (0, _("Unknown (0)")))


TABLES = ("status_classes", "receipt_classes")
FILES = ("ca_file", "cert_file", "key_file")


def _text(label: Any, help_text: Any = "", *, required: bool = False) -> forms.CharField:
    """Return a text field."""
    missing = {"required": _("Fill this in as the partner gave it.")}
    return forms.CharField(
        label=label, help_text=help_text, required=required, error_messages=missing
    )


def _lines(label: Any, help_text: Any) -> forms.CharField:
    """Return a field of several lines, each a value of its own."""
    widget = forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocomplete": "off"})
    return forms.CharField(label=label, help_text=help_text, required=False, widget=widget)


class CarrierSettingsField(forms.JSONField):
    """A JSON object; nothing in it is shown as nothing."""

    def prepare_value(self, value: Any) -> Any:
        """Return the text of the control."""
        return super().prepare_value(value) if value else ""


class ConnectionForm(forms.Form):
    """A connection's settings. The password is written here and never shown.

    Everything that is wrong is told at once, by the rules of queries.connection_settings; the verb
    judges by the same ones.
    """

    name = forms.CharField(
        label=_("Name"),
        max_length=40,
        help_text=_("Small letters, digits and hyphens. It cannot be changed later."),
    )
    host = _text(_("Host"), _("A host name or an IP address of the partner."), required=True)
    port = forms.IntegerField(label=_("Port"), initial=2775)
    further_hosts = _lines(
        _("Further hosts"),
        _(
            "One a line, as host or host:port, an IPv6 address with port in brackets. A session"
            " that fails tries the next one, and later the first again."
        ),
    )
    bind_form = forms.ChoiceField(
        label=_("Sessions"), choices=BindForm.choices, initial=BindForm.TRANSCEIVER
    )
    bind_count = forms.IntegerField(
        label=_("Number of sessions"),
        initial=1,
        help_text=_("Or of pairs. They share the rate; each has its own window."),
    )
    system_id = _text(
        _("system_id"), _("At most 15 characters, as the partner gave it."), required=True
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        help_text=_("At most 8 characters (SMPP 3.4). It is stored sealed and never shown again."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={"required": _("Fill this in as the partner gave it.")},
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
    tls_minimum = forms.ChoiceField(
        label=_("Oldest TLS"),
        choices=TlsVersion.choices,
        initial=TlsVersion.TLS_1_2,
    )
    pins = _lines(
        _("Pinned public keys"),
        _(
            "SHA-256 of the partner's public key (SPKI) in hex or base64, one a line: give the next"
            " one before it changes. With a pin the name is not compared."
        ),
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
        help_text=_(
            "What the partner takes data coding 0 for. Texts with letters that Latin-1 lacks need"
            " more segments there: campaigns that were approved before and no longer fit are held"
            " when it is chosen."
        ),
    )
    message_id_rule = forms.ChoiceField(
        label=_("Message ids in receipts"), choices=MessageIdRule.choices
    )
    long_form = forms.ChoiceField(
        label=_("Long messages"),
        choices=LongForm.choices,
        initial=LongForm.UDH,
    )
    status_classes = _lines(
        _("Errors of the partner"),
        _(
            "One command_status a line and what it means: final, later, slow down or alarm."
            " For example: 0x0400 later"
        ),
    )
    receipt_classes = _lines(
        _("Errors in receipts"),
        _(
            "One code a line and its class, as above. Slow down and alarm act as they do for an"
            " answer. Final and later are only said where the message is shown: nothing that the"
            " partner took is sent again by itself."
        ),
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
    carrier = forms.ChoiceField(
        label=_("Carrier"),
        help_text=_("SMPP, or a package that is installed beside it."),
        required=False,
    )
    carrier_settings = CarrierSettingsField(
        label=_("Settings of the carrier"),
        required=False,
        help_text=_("A JSON object, as the carrier's own page says. Secrets go into the password."),
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        error_messages={"invalid": _('Type a JSON object, for example {"line": 2}.')},
    )
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, now: datetime, connection: Connection | None = None, **kwargs: Any
    ) -> None:
        self.now = now
        self.before = settings_of(connection) if connection is not None else None
        if connection is not None:
            stored = {name: getattr(self.before, name) for name in SETTINGS}
            for name in TABLES:
                stored[name] = written_classes(stored[name])
            kwargs.setdefault("initial", {**stored, "seen": connection.version})
        super().__init__(*args, **kwargs)
        for name in ("host", "system_id", "server_name", *FILES):
            self.fields[name].widget.attrs |= {"autocomplete": "off", "spellcheck": "false"}
        self._offer_carriers()
        is_plain = bool(self["plain_reason"].value() or self["plain_until"].value())
        is_smpp = (self["carrier"].value() or BUILT_IN) == BUILT_IN
        for name in FILES:
            self.fields[name].required = is_smpp and not is_plain
            self.fields[name].error_messages["required"] = _("Name the file.")
        self.fields["key_file"].error_messages["required"] = _(
            "A certificate needs its key: name the key's file."
        )
        if connection is not None:
            self._keep_what_stays()

    def _offer_carriers(self) -> None:
        """Offer what is installed, and what the connection has even if it no longer is."""
        names = {one.name: one.name for one in installed_carriers() if not one.trouble}
        names[BUILT_IN] = "SMPP"
        if self.before is not None:
            names.setdefault(self.before.carrier, self.before.carrier)
        field = self.fields["carrier"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = list(names.items())

    def clean_carrier(self) -> str:
        """Nothing chosen is SMPP."""
        return self.cleaned_data["carrier"] or BUILT_IN

    def clean_carrier_settings(self) -> dict[str, Any]:
        """Nothing typed is an empty object; anything but an object is refused."""
        typed = self.cleaned_data["carrier_settings"]
        if typed is None:
            return {}
        if not isinstance(typed, dict):
            raise forms.ValidationError(_('Type a JSON object, for example {"line": 2}.'))
        return typed

    def _keep_what_stays(self) -> None:
        """A name is for ever, and an empty password means the one that is stored."""
        del self.fields["name"]
        password = self.fields["password"]
        password.required = False
        password.label = _("New password")
        password.help_text = _("Empty keeps the one it has.")

    def clean_further_hosts(self) -> str:
        """Put hosts in the one form that is stored."""
        typed = self.cleaned_data["further_hosts"]
        try:
            return "\n".join(str(host) for host in read_hosts(typed, self._port()))
        except HostRefused as refused:
            raise forms.ValidationError(str(refused)) from refused

    def _port(self) -> int:
        """Return the port of hosts that name none."""
        return int(self.cleaned_data.get("port") or NEW["port"])

    def clean_pins(self) -> str:
        """Put pins in the one form that is stored."""
        try:
            return "\n".join(read_pins(self.cleaned_data["pins"]))
        except PinRefused as refused:
            raise forms.ValidationError(str(refused)) from refused

    def clean_status_classes(self) -> dict[str, str]:
        """Read the table."""
        return self._table("status_classes", read_status_classes)

    def clean_receipt_classes(self) -> dict[str, str]:
        """Read the table."""
        return self._table("receipt_classes", read_receipt_classes)

    def _table(self, name: str, read: Callable[[str], dict[str, str]]) -> dict[str, str]:
        try:
            return read(self.cleaned_data[name])
        except ClassesRefused as refused:
            raise forms.ValidationError(str(refused)) from refused

    def clean(self) -> dict[str, Any]:
        """Judge what was typed as far as it can be read."""
        cleaned = super().clean() or {}
        password = cleaned.get("password", "")
        found = faults(self.settings(), self.now, self.before)
        carrier = cleaned.get("carrier", BUILT_IN)
        found += password_faults(password, carrier=carrier) if password else []
        found += name_faults(cleaned["name"]) if cleaned.get("name") else []
        for fault in found:
            if fault.field not in self.errors:
                self.add_error(fault.field, fault.sentence)
        return cleaned

    def settings(self) -> ConnectionSettings:
        """Return what was typed; where it cannot be read, what a new connection begins with."""
        return ConnectionSettings(
            **{name: self.cleaned_data.get(name, NEW[name]) for name in SETTINGS}
        )

    @property
    def needs_another(self) -> bool:
        """Whether it takes two people: it changes how the wire is secured, or asks for a new
        connection without TLS.
        """
        settings = self.settings()
        if self.before is None:
            return settings.is_plain
        return self.before.wire_security != settings.wire_security
