"""Names that sender names must not pass for: kept by the platform team, for the installation."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from audit.rules.events import Diff, Obj
from campaigns.models import ProtectedName
from campaigns.rules.sender_names import skeleton
from workspaces.actions.noting import note_platform
from workspaces.queries.me import Me
from workspaces.rules.refusal import Refusal

SHORTEST, LONGEST = 2, 40


class NameNotProtected(Refusal):
    """A name cannot be protected, or its protection cannot be lifted."""

    code = "protected_name_refused"


def protect_name(*, value: str, by: Me, now: datetime) -> ProtectedName:
    """Protect a name: from now on what resembles it needs two approvals. Raises NameNotProtected.

    Sender names that are approved already stay approved.
    """
    value = " ".join(value.split())
    folded = skeleton(value)
    if not value.isascii() or len(folded) < SHORTEST or len(value) > LONGEST:
        raise NameNotProtected(
            _("Type a name of 2 to 40 characters, with the letters A to Z and digits."),
            field="value",
        )
    name = ProtectedName(value=value, skeleton=folded, created_by=by.user, created_at=now)
    try:
        with transaction.atomic(durable=True):
            name.save(force_insert=True)
            diff: Diff = {"value": (None, value)}
            note_platform(by, "protected_name.add", _obj(name), now=now, diff=diff)
    except IntegrityError as error:
        raise NameNotProtected(
            _("A name that looks the same is protected already."), field="value"
        ) from error
    return name


def lift_protection(*, name_id: int, by: Me, why: str, now: datetime) -> None:
    """Take a name from the list, with a reason. Raises NameNotProtected."""
    if not why.strip():
        raise NameNotProtected(_("Say why. Auditors read it."), field="why")
    with transaction.atomic(durable=True):
        name = ProtectedName.objects.select_for_update().filter(pk=name_id).first()
        if name is None:
            raise NameNotProtected(_("This name is not protected any more."), code="not_found")
        diff: Diff = {"value": (name.value, None)}
        why = why.strip()
        note_platform(by, "protected_name.remove", _obj(name), now=now, diff=diff, why=why)
        name.delete()


def _obj(name: ProtectedName) -> Obj:
    return Obj("protected_name", f"pro_{name.pk}")
