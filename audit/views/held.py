"""Who outside holds the checkpoints, in the words of the page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.actions.anchors.installed import installed
from audit.queries.anchors import AnchorState, anchor_states

WORDS: Mapping[str, object] = {
    "file": gettext_lazy("Append-only file"),
    "tsa": gettext_lazy("Time-stamping authority"),
    "mail": gettext_lazy("Mailbox"),
    "syslog": gettext_lazy("Log collector"),
    "witness": gettext_lazy("Witness"),
}


@dataclass(frozen=True)
class Held:
    """An anchor as it is shown; `trouble` is empty when all is well."""

    state: AnchorState
    name: str
    trouble: str


def held(*, now: datetime) -> Sequence[Held]:
    """Return the anchors that are set up, those in trouble first."""
    states = anchor_states([one.expected for one in installed()], now=now)
    shown = [Held(one, str(WORDS.get(one.kind, one.name)), _trouble(one)) for one in states]
    return sorted(shown, key=lambda one: not one.trouble)


def _trouble(state: AnchorState) -> str:
    if state.is_refused:
        return _("refused the last checkpoint")
    if state.is_late:
        return _("has given no receipt for too long")
    return ""
