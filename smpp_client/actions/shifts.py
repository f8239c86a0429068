"""Shifts of a route's traffic: planned in steps, made by the clock, stopped and undone at once."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from audit.rules.events import Actor
from smpp_client.actions.noting import Caller, note, route_obj
from smpp_client.actions.routes import RouteRefused, Weights, lock_route
from smpp_client.models import Route, RouteConnection, RouteShift, ShiftState
from smpp_client.rules.shifts import (
    HIGHEST_WEIGHT,
    MOST_STEPS,
    are_steps_wrong,
    due_count,
    weights_at,
)

SWEEP = Caller(Actor(kind="system", id="sweep"))
LONGEST_STEP = timedelta(days=7)


class ShiftRefused(RouteRefused):
    """A shift cannot be planned, stopped or undone."""

    code = "shift_refused"


def plan_shift(
    *, name: str, to: Weights, percents: Sequence[int], step: timedelta, by: Caller, now: datetime
) -> RouteShift:
    """Plan a shift from the weights as they are; its first step is made within seconds.

    Raises ShiftRefused, NoSuchRoute.
    """
    _check_steps(percents, step)
    with transaction.atomic(durable=True):
        route = lock_route(name)
        before = _weights(route)
        _check_target(route, before, to)
        shift = RouteShift.objects.create(
            route=route,
            from_weights=before,
            to_weights=dict(to),
            percents=list(percents),
            step_seconds=int(step.total_seconds()),
            begins_at=now,
            created_by=by.user,
        )
        diff = {"weights": (before, dict(to)), "steps": (None, list(percents))}
        note(by, "route.shift", route_obj(route), now=now, diff=diff)
    return shift


def _check_steps(percents: Sequence[int], step: timedelta) -> None:
    if are_steps_wrong(percents):
        raise ShiftRefused(
            _("Steps climb to 100, for example 5, 25, 50, 100; at most %(n)s.") % {"n": MOST_STEPS},
            field="percents",
        )
    if not timedelta(seconds=1) <= step <= LONGEST_STEP:
        raise ShiftRefused(_("A step lasts from a minute to 7 days."), field="minutes")


def _check_target(route: Route, before: Weights, to: Weights) -> None:
    if RouteShift.objects.filter(route=route, state=ShiftState.RUNNING).exists():
        raise ShiftRefused(_("Another shift is under way. Stop it first."))
    if set(to) != set(before):
        raise ShiftRefused(_("Give every connection of the route its weight after the shift."))
    if not all(0 <= weight <= HIGHEST_WEIGHT for weight in to.values()) or not any(to.values()):
        raise ShiftRefused(_("Give at least one connection a weight from 1 to 1000."))
    if dict(to) == dict(before):
        raise ShiftRefused(_("These are the weights as they are: there is nothing to shift."))


def stop_shift(*, name: str, by: Caller, now: datetime) -> None:
    """Leave the weights as they are now. Raises ShiftRefused when no shift is under way."""
    with transaction.atomic(durable=True):
        route = lock_route(name)
        shift = RouteShift.objects.filter(route=route, state=ShiftState.RUNNING).first()
        if shift is None:
            raise ShiftRefused(_("No shift is under way any more."))
        _end(shift, ShiftState.STOPPED, now)
        note(by, "route.shift_stop", route_obj(route), now=now)


def undo_shift(*, name: str, by: Caller, now: datetime) -> None:
    """Put the weights back to where the last shift began, at once.

    Raises ShiftRefused when they have been set since, or there is none.
    """
    with transaction.atomic(durable=True):
        route = lock_route(name)
        shift = RouteShift.objects.filter(route=route).order_by("-pk").first()
        if shift is None or shift.state == ShiftState.UNDONE:
            raise ShiftRefused(_("There is no shift to undo."))
        now_weights = _weights(route)
        if now_weights != _made(shift):
            raise ShiftRefused(_("The weights were set since. Set them by hand."))
        _set(route, shift.from_weights)
        _end(shift, ShiftState.UNDONE, now)
        diff = {"weights": (now_weights, shift.from_weights)}
        note(by, "route.shift_undo", route_obj(route), now=now, diff=diff)


def make_shifts(now: datetime) -> int:
    """Make every step that is due; return how many shifts moved. Twice changes nothing."""
    running = RouteShift.objects.filter(state=ShiftState.RUNNING, begins_at__lte=now)
    return sum(_make(name, now) for name in list(running.values_list("route__name", flat=True)))


def _make(name: str, now: datetime) -> bool:
    with transaction.atomic(durable=True):
        route = lock_route(name)
        shift = RouteShift.objects.filter(route=route, state=ShiftState.RUNNING).first()
        if shift is None:
            return False
        step = timedelta(seconds=shift.step_seconds)
        count = due_count(shift.begins_at, step, shift.percents, now)
        if count <= shift.applied_count:
            return False
        before = _weights(route)
        RouteShift.objects.filter(pk=shift.pk).update(applied_count=count)
        shift.applied_count = count
        _set(route, _made(shift))
        if count == len(shift.percents):
            _end(shift, ShiftState.DONE, now)
        diff = {"weights": (before, _made(shift))}
        why = _("%(percent)s %% of the way") % {"percent": shift.percents[count - 1]}
        note(SWEEP, "route.shift_step", route_obj(route), now=now, diff=diff, why=why)
    return True


def _made(shift: RouteShift) -> dict[str, int]:
    """Return the weights that the steps made so far have set."""
    percent = shift.percents[shift.applied_count - 1] if shift.applied_count else 0
    return weights_at(shift.from_weights, shift.to_weights, percent)


def _weights(route: Route) -> dict[str, int]:
    rows = RouteConnection.objects.filter(route=route)
    return dict(rows.values_list("connection__name", "weight"))


def _set(route: Route, weights: Mapping[str, int]) -> None:
    for name, weight in weights.items():
        RouteConnection.objects.filter(route=route, connection__name=name).update(weight=weight)


def _end(shift: RouteShift, state: ShiftState, now: datetime) -> None:
    RouteShift.objects.filter(pk=shift.pk).update(state=state, ended_at=now)
