"""The acts on a sender: what each asks before it is done, who may, and which verb does it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from campaigns.actions.sender_review import approve_revision, reject_revision, withdraw_revision
from campaigns.actions.senders import archive_sender, restore_sender
from campaigns.forms.senders import DecisionForm
from campaigns.models import Sender
from campaigns.queries.senders import Row, Waiting
from workspaces.queries.me import Me


@dataclass(frozen=True)
class Act:
    """A question with its form. `tone` is the button's class; `has_words` asks for a note."""

    name: str
    question: str
    effect: str
    button: str
    tone: str
    url: str
    form: DecisionForm = field(default_factory=DecisionForm)
    has_words: bool = False
    done: str = ""


def acts_on(row: Row, waiting: Waiting | None, me: Me) -> dict[str, Act]:
    """Return the acts that this person may do on a sender now, by name."""
    found = [*_decisions(waiting, me), *_keeping(row, me)] if not me.is_master else []
    return {act.name: act for act in found}


def _decisions(waiting: Waiting | None, me: Me) -> list[Act]:
    if waiting is None:
        return []
    found = []
    if me.may("sender.review") and waiting.may_decide:
        found += [_approve(waiting, me), _reject(waiting, me)]
    if waiting.is_own or me.may("sender.edit"):
        found.append(_withdraw(waiting, me))
    return found


def _approve(waiting: Waiting, me: Me) -> Act:
    words = {"name": waiting.revision.value, "number": waiting.revision.number}
    if waiting.missing_count > 1:
        effect = _("It resembles “%(alike)s”: after you one more person has to approve it.")
        effect %= {"alike": waiting.revision.resembles}
    elif waiting.approved is not None:
        effect = _(
            "It takes the place of revision %(old)s at once. Campaigns that were approved with"
            " revision %(old)s keep it."
        ) % {"old": waiting.approved.number}
    else:
        effect = _("From then on campaigns can be sent as “%(name)s”.") % words
    return _decision(
        "approve",
        waiting,
        me,
        question=_("Approve revision %(number)s of %(name)s?") % words,
        effect=effect,
        button=_("Approve revision %(number)s") % words,
        tone="pri",
    )


def _reject(waiting: Waiting, me: Me) -> Act:
    words = {"name": waiting.revision.value, "number": waiting.revision.number}
    stays = _("The revision in use stays in use.") if waiting.approved else ""
    return _decision(
        "reject",
        waiting,
        me,
        question=_("Reject revision %(number)s of %(name)s?") % words,
        effect=" ".join(
            filter(None, [_("It is closed for good; another can be proposed."), stays])
        ),
        button=_("Reject revision %(number)s") % words,
        tone="bad",
    )


def _decision(
    name: str, waiting: Waiting, me: Me, *, question: str, effect: str, button: str, tone: str
) -> Act:
    return Act(
        name,
        question,
        effect,
        button,
        tone,
        url=_url("sender_decide", waiting.revision.sender, me, verdict=name),
        form=_form(name, waiting),
        has_words=True,
        done=_done(name, waiting),
    )


def _done(name: str, waiting: Waiting) -> str:
    words = {"number": waiting.revision.number}
    if name == "reject":
        return _("Revision %(number)s is rejected.") % words
    if waiting.missing_count > 1:
        return _("You approved revision %(number)s. One more person has to.") % words
    return _("Revision %(number)s is approved and in use.") % words


def _withdraw(waiting: Waiting, me: Me) -> Act:
    words = {"number": waiting.revision.number}
    return Act(
        "withdraw",
        _("Withdraw revision %(number)s?") % words,
        _("Nobody can approve it any more. It stays among the revisions."),
        _("Withdraw revision %(number)s") % words,
        "bad",
        url=_url("sender_withdraw", waiting.revision.sender, me),
        form=_form("withdraw", waiting),
        done=_("Revision %(number)s is withdrawn.") % words,
    )


def _keeping(row: Row, me: Me) -> list[Act]:
    if not me.may("sender.edit"):
        return []
    words = {"name": row.sender.value}
    if row.sender.is_archived:
        return [
            Act(
                "restore",
                _("Restore %(name)s?") % words,
                _("It is what it was before: what was approved can be used again."),
                _("Restore %(name)s") % words,
                "pri",
                url=_url("sender_restore", row.sender, me),
                done=_("%(name)s is restored.") % words,
            )
        ]
    return [
        Act(
            "archive",
            _("Archive %(name)s?") % words,
            _(
                "From then on nothing is sent with it: campaigns that are sending are held, and no"
                " new one can choose it. Nobody else can register a name like it."
            ),
            _("Archive %(name)s") % words,
            "bad",
            url=_url("sender_archive", row.sender, me),
            done=_("%(name)s is archived.") % words,
        )
    ]


def _form(name: str, waiting: Waiting) -> DecisionForm:
    return DecisionForm(initial={"seen": waiting.revision.number}, auto_id=f"{name}-%s")


def _url(view: str, sender: Sender, me: Me, **more: str) -> str:
    place = {"workspace": me.here.slug, "sender": sender.value, **more}
    return reverse(f"campaigns:{view}", kwargs=place)


Do = Callable[[Sender, Me, int, str, datetime], object]

DO: Mapping[str, Do] = {
    "approve": lambda sender, me, seen, words, now: approve_revision(
        sender_id=sender.pk, seen=seen, by=me, words=words, now=now
    ),
    "reject": lambda sender, me, seen, words, now: reject_revision(
        sender_id=sender.pk, seen=seen, by=me, words=words, now=now
    ),
    "withdraw": lambda sender, me, seen, _words, now: withdraw_revision(
        sender_id=sender.pk, seen=seen, by=me, now=now
    ),
    "archive": lambda sender, me, _seen, _words, now: archive_sender(
        sender_id=sender.pk, by=me, now=now
    ),
    "restore": lambda sender, me, _seen, _words, now: restore_sender(
        sender_id=sender.pk, by=me, now=now
    ),
}
