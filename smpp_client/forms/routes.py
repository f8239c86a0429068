"""The forms of routes: weights and tiers, grants, number ranges, shifts."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from smpp_client.models import Connection
from workspaces.models import Workspace

WEIGHT = "weight_"
TIER = "tier_"
TIERS = [(0, _("Primary")), (1, _("Backup")), (2, _("Second backup"))]
WEIGHT_LIMITS: dict[str, Any] = {"required": False, "min_value": 0, "max_value": 1000}


class RouteForm(forms.Form):
    """A route: for each connection a tier and a weight, empty for those that are not part of it."""

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
        self.connections = [connection.name for connection in connections]
        for name in self.connections:
            words = {"name": name}
            self.fields[WEIGHT + name] = forms.IntegerField(
                label=_("Weight of %(name)s") % words, **WEIGHT_LIMITS
            )
            self.fields[TIER + name] = forms.ChoiceField(
                label=_("%(name)s is") % words, choices=TIERS, required=False
            )

    def pairs(self) -> Iterator[tuple[forms.BoundField, forms.BoundField]]:
        """Return the weight and the tier of each connection."""
        for name in self.connections:
            yield self[WEIGHT + name], self[TIER + name]

    def weights(self) -> dict[str, int]:
        """Return the weights by the connections' names."""
        return _values(self.cleaned_data, WEIGHT)

    def tiers(self) -> dict[str, int]:
        """Return the tiers of the connections that have a weight."""
        return {name: int(self.cleaned_data[TIER + name] or 0) for name in self.weights()}


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


class RangeForm(forms.Form):
    """Numbers that one connection of a route sends alone."""

    digits = forms.CharField(
        label=_("Numbers that begin with"),
        max_length=20,
        help_text=_("With the country code, for example 44 7700 9."),
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
    )
    connection = forms.ChoiceField(label=_("go out over"))

    def __init__(self, *args: Any, connections: Iterable[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["connection"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [(name, name) for name in connections]


class ShiftForm(forms.Form):
    """Where a route's traffic shall go, in which steps."""

    percents = forms.CharField(
        label=_("Steps in percent"),
        max_length=120,
        initial="5, 25, 50, 100",
        help_text=_("They climb to 100. The first is made at once."),
    )
    minutes = forms.IntegerField(
        label=_("Minutes between steps"), min_value=1, max_value=7 * 24 * 60, initial=10
    )

    def __init__(self, *args: Any, connections: Iterable[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.connections = list(connections)
        for name in self.connections:
            self.fields[WEIGHT + name] = forms.IntegerField(
                label=_("%(name)s then") % {"name": name}, **WEIGHT_LIMITS
            )

    def weighted(self) -> Iterator[forms.BoundField]:
        """Return the fields of the weights after the shift."""
        for name in self.connections:
            yield self[WEIGHT + name]

    def clean_percents(self) -> list[int]:
        """Read "5, 25, 100" as numbers."""
        words = self.cleaned_data["percents"].replace(",", " ").replace("%", " ").split()
        if not all(
            word.isascii() and word.isdecimal() and len(word) <= len("100") for word in words
        ):
            raise forms.ValidationError(_("Type whole percents, for example 5, 25, 50, 100."))
        return [int(word) for word in words]

    def weights(self) -> dict[str, int]:
        """Return the weights after the shift; empty is 0."""
        return dict.fromkeys(self.connections, 0) | _values(self.cleaned_data, WEIGHT)

    def step(self) -> timedelta:
        """Return the time between steps."""
        return timedelta(minutes=self.cleaned_data["minutes"])


def _values(cleaned: dict[str, Any], prefix: str) -> dict[str, int]:
    return {
        name.removeprefix(prefix): value
        for name, value in cleaned.items()
        if name.startswith(prefix) and value is not None
    }
