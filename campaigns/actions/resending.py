"""Unknown messages sent again, because two people decided so.

Nobody knows whether such a message went out: sending it again may reach a person twice. One asks
and says why, another one decides; the database refuses the same person. What goes out then is
claimed like everything else, with the approval and the opt-outs looked at again, and stays one
message in every count. What the SMSC never had, by its own call records, goes the same way.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction
from django.utils.translation import gettext as _

from campaigns.actions.moves import CampaignRefused, campaign_obj, lock, move
from campaigns.models import Campaign, ResendDecision, ResendState
from campaigns.rules.campaign_states import State
from workspaces.actions.noting import note, note_denied
from workspaces.queries.me import Me

OPEN = frozenset({State.SENDING, State.PAUSED, State.HELD, State.COMPLETED})
MOST_MESSAGES = 1_000_000
SHORTEST_NOTE = 3
STATES = """
SELECT s.message_position FROM resendable(%s, %s) s WHERE NOT %s OR s.message_state = 'refused'
"""
UNKNOWN = """
SELECT DISTINCT position FROM submission
WHERE campaign_id = %s AND batch_on >= %s
  AND (kind = 'unknown' OR kind = 'resent' OR (kind = 'refused' AND evidence = 'records'))
ORDER BY position LIMIT %s
"""


class ResendRefused(CampaignRefused):
    """These messages cannot be sent again now."""


class SamePerson(ResendRefused):
    """Who asks does not decide."""

    code = "same_person"


def request_resend(
    *,
    number: int,
    positions: Sequence[int] | None,
    by: Me,
    words: str,
    now: datetime,
    is_absent_only: bool = False,
) -> ResendDecision:
    """Ask that messages go out again which are unknown or were never at the SMSC: those at
    `positions`, or all where it is None; `is_absent_only` leaves out what is unknown.

    Raises ResendRefused, NoSuchCampaign.
    """
    words = words.strip()
    if len(words) < SHORTEST_NOTE:
        raise ResendRefused(_("Say why they are to be sent again."), field="note")
    with transaction.atomic(durable=True):
        campaign = lock(by.here, number)
        _require_own(campaign, by, "resend.request", now)
        _require_open(campaign, now)
        found = _resendable(campaign, positions, is_absent_only=is_absent_only)
        if not found:
            raise ResendRefused(_("None of these messages can be sent again any more."))
        if ResendDecision.objects.filter(campaign=campaign, state=ResendState.REQUESTED).exists():
            raise ResendRefused(_("A request of this campaign waits for its decision already."))
        asked = ResendDecision.objects.create(
            workspace=by.here,
            campaign=campaign,
            positions=found,
            message_count=len(found),
            note=words[:1000],
            requested_by=by.user,
            requested_person_id=by.person_id,
            requested_at=now,
        )
        note(
            by,
            "resend.request",
            campaign_obj(campaign.pk),
            now=now,
            diff={"messages": (None, len(found)), "decision": (None, asked.pk)},
            why=words,
        )
    return asked


def approve_resend(*, decision_id: int, by: Me, words: str, now: datetime) -> ResendDecision:
    """Let them go out again; what was settled since the request stays out.

    A completed campaign sends again for it. Raises SamePerson, ResendRefused.
    """
    with transaction.atomic(durable=True):
        asked, campaign = _asked(decision_id, by)
        _require_other(asked, campaign, by, now)
        _require_open(campaign, now)
        count = _queue(campaign, asked.positions, now)
        if not count:
            raise ResendRefused(
                _("None of these messages can be sent again any more. Refuse the request.")
            )
        if campaign.state == State.COMPLETED:
            move(
                campaign,
                State.SENDING,
                allowed={State.COMPLETED},
                now=now,
                finished_at=None,
                run_request_id=by.request_id,
            )
        _decide(asked, ResendState.APPROVED, by, words, now, resent_count=count)
        note(
            by,
            "resend.approve",
            campaign_obj(campaign.pk),
            now=now,
            diff={"messages": (asked.message_count, count), "decision": (None, asked.pk)},
            why=words,
        )
    return asked


def refuse_resend(*, decision_id: int, by: Me, words: str, now: datetime) -> ResendDecision:
    """Leave them as they are; who asked may take his request back. Raises ResendRefused."""
    with transaction.atomic(durable=True):
        asked, campaign = _asked(decision_id, by)
        _decide(asked, ResendState.REFUSED, by, words, now)
        note(
            by,
            "resend.refuse",
            campaign_obj(campaign.pk),
            now=now,
            diff={"decision": (None, asked.pk)},
            why=words,
        )
    return asked


def _require_own(campaign: Campaign, by: Me, op: str, now: datetime) -> None:
    if not by.may("campaign.run") and campaign.author_person_id != by.person_id:
        note_denied(by, op, campaign_obj(campaign.pk), now=now, why="not the author")
        raise ResendRefused(_("Only its author, a moderator or an admin asks for this."))


def _require_open(campaign: Campaign, now: datetime) -> None:
    if State(campaign.state) not in OPEN:
        raise ResendRefused(
            _("The campaign does not send any more. Clone it for the people who are left.")
        )
    if campaign.ends_at is not None and campaign.ends_at <= now:
        raise ResendRefused(
            _("Its window is over, and a later one needs an approval of its own. Clone it.")
        )


def _require_other(asked: ResendDecision, campaign: Campaign, by: Me, now: datetime) -> None:
    if asked.requested_person_id == by.person_id:
        note_denied(
            by, "resend.approve", campaign_obj(campaign.pk), now=now, why="asked for it himself"
        )
        raise SamePerson(_("You asked for it. Another person decides."))


def _resendable(
    campaign: Campaign, positions: Sequence[int] | None, *, is_absent_only: bool
) -> list[int]:
    with connection.cursor() as cursor:
        if positions is None:
            cursor.execute(UNKNOWN, [campaign.pk, campaign.frozen_on, MOST_MESSAGES])
            positions = [row[0] for row in cursor.fetchall()]
        cursor.execute(STATES, [campaign.pk, list(positions), is_absent_only])
        return sorted(row[0] for row in cursor.fetchall())


def _asked(decision_id: int, by: Me) -> tuple[ResendDecision, Campaign]:
    found = ResendDecision.objects.filter(pk=decision_id, workspace=by.here).first()
    if found is None:
        raise ResendRefused(_("There is no such request."))
    number = Campaign.objects.values_list("number", flat=True).get(pk=found.campaign_id)
    campaign = lock(by.here, number)
    # The campaign's lock comes first; only now nobody else decides.
    found.refresh_from_db()
    if found.state != ResendState.REQUESTED:
        raise ResendRefused(_("It is decided already. Look at it again."))
    return found, campaign


def _queue(campaign: Campaign, positions: Sequence[int], now: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT queue_resend(%s, %s, %s)", [campaign.pk, list(positions), now])
        (count,) = cursor.fetchone()
    return int(count)


def _decide(
    asked: ResendDecision,
    state: ResendState,
    by: Me,
    words: str,
    now: datetime,
    *,
    resent_count: int = 0,
) -> None:
    changed = ResendDecision.objects.filter(pk=asked.pk, state=ResendState.REQUESTED).update(
        state=state,
        answer=words.strip()[:1000],
        decided_by=by.user,
        decided_person_id=by.person_id,
        decided_at=now,
        resent_count=resent_count,
    )
    if not changed:
        raise ResendRefused(_("It is decided already. Look at it again."))
    asked.refresh_from_db()
