"""What the state of the fallback files means, in words: for the page, the API and the command."""

from enum import StrEnum
from typing import Any

from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.queries.fallback import LATE, LEAST_FREE, State


class Tone(StrEnum):
    """`bad` needs somebody now, `warn` soon."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"


def tone_of(state: State) -> Tone:
    """Return how bad it is."""
    if problems(state):
        return Tone.BAD
    return Tone.WARN if state.has_work else Tone.OK


def sentence_of(state: State) -> str:
    """Return the state in one or more sentences."""
    found = problems(state)
    if found:
        return " ".join(found)
    if state.has_work:
        sentence = ngettext(
            "%(n)s entry waits in the fallback file until the database is there.",
            "%(n)s entries wait in the fallback file until the database is there.",
            state.line_count,
        )
        return sentence % {"n": f"{state.line_count:,}"}
    return _("It is empty: nothing waits to enter the audit log.")


def problems(state: State) -> list[str]:
    """Return what needs a person, each in a sentence."""
    found = []
    if state.lost_count or state.gap_count:
        found.append(_lost(state))
    if state.is_full:
        sentence = _(
            "The fallback files have reached their cap of %(most)s: what must be recorded is"
            " refused until they are ingested."
        )
        found.append(sentence % {"most": filesizeformat(state.most_bytes)})
    if state.refused:
        sentence = ngettext(
            "%(n)s fallback file was damaged and not taken: look into the folder “refused”.",
            "%(n)s fallback files were damaged and not taken: look into the folder “refused”.",
            len(state.refused),
        )
        found.append(sentence % {"n": len(state.refused)})
    if state.late:
        found.append(_late(state))
    return found + _writing(state)


def _lost(state: State) -> str:
    alarm = state.alarm
    if alarm is None or not alarm.count:
        return _("Records could be written nowhere; the gap is declared with the next ingest.")
    sentence = ngettext(
        "%(n)s attempt was refused because it could be recorded nowhere, last at %(last)s:"
        " %(why)s.",
        "%(n)s attempts were refused because they could be recorded nowhere, last at %(last)s:"
        " %(why)s.",
        alarm.count,
    )
    return sentence % {"n": f"{alarm.count:,}", "last": alarm.last, "why": alarm.why}


def _late(state: State) -> str:
    sentence = ngettext(
        "%(n)s fallback file has waited for more than %(seconds)s s, and no sweep took it or found"
        " the database away: see why in the worker's log.",
        "%(n)s fallback files have waited for more than %(seconds)s s, and no sweep took them or"
        " found the database away: see why in the worker's log.",
        len(state.late),
    )
    return sentence % {"n": len(state.late), "seconds": f"{LATE.total_seconds():.0f}"}


def _writing(state: State) -> list[str]:
    """Return why the next line could not be written."""
    if state.identity is None:
        return [
            _(
                "This machine has never seen the database, so it could not record an outage: the"
                " worker's sweep has not run here."
            )
        ]
    found = []
    if not state.is_writable:
        found.append(_("The folder of the fallback files cannot be written."))
    if state.free_bytes is not None and state.free_bytes < LEAST_FREE:
        sentence = _("The disk of the fallback files has %(free)s left.")
        found.append(sentence % {"free": filesizeformat(state.free_bytes)})
    return found


def document(state: State) -> dict[str, Any]:
    """Return the state for programs; `head` is the hash of a file's last line."""
    return {
        "state": str(tone_of(state)),
        "detail": sentence_of(state),
        "size_bytes": state.used_bytes,
        "cap_bytes": state.most_bytes,
        "lines": state.line_count,
        "lost": state.lost_count,
        "free_bytes": state.free_bytes,
        "kept_files": state.kept_count,
        "last_ingest_at": state.last_ingest_at and state.last_ingest_at.isoformat(),
        "swept_at": state.swept_at and state.swept_at.isoformat(),
        "alarms": problems(state),
        "files": [
            {
                "name": file.name,
                "room": file.room,
                "size_bytes": file.size,
                "lines": file.line_count,
                "head": file.head or None,
                "changed_at": file.changed_at.isoformat(),
            }
            for file in state.files
        ],
    }
