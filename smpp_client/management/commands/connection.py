"""manage.py connection add|list|check|disable|enable: SMPP connections from the command line."""

import json
from argparse import ArgumentParser, ArgumentTypeError
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from smpp_client.actions.checks import check_connection
from smpp_client.actions.connections import (
    add_connection,
    disable_connection,
    enable_connection,
)
from smpp_client.actions.noting import COMMAND_LINE
from smpp_client.actions.reports import Asked, ask_report, run_report, write_files
from smpp_client.actions.routes import create_route, grant_route
from smpp_client.carrier.adapters import BUILT_IN
from smpp_client.models import Alphabet, BindForm, LongForm, MessageIdRule, TlsVersion
from smpp_client.queries.connection_settings import ConnectionSettings
from smpp_client.queries.connections import sights
from smpp_client.queries.routes import route_by
from smpp_client.rules.conformance import Step
from smpp_client.rules.errors import ClassesRefused, read_receipt_classes, read_status_classes
from smpp_client.rules.pins import PinRefused, read_pins
from workspaces.models import Workspace
from workspaces.queries.access import workspace_by_slug
from workspaces.rules.refusal import Refusal

ADD = "Add a connection and a route over it."
TWO_PEOPLE = "An exception from TLS takes two people: ask for it on the page."
# Where a full check is mended, by the field that its refusal names.
CHECK_OPTIONS = {"numbers": "--to", "sender": "--from", "messages": "--messages"}


class Command(BaseCommand):
    """Adds and watches over connections. Exit code 1 and one sentence when something is refused."""

    help = "Add, list, check, disable or enable SMPP connections."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the five acts."""
        acts = parser.add_subparsers(dest="act", required=True)
        _declare_add(acts.add_parser("add", help=ADD, description=f"{ADD} {TWO_PEOPLE}"))
        acts.add_parser("list", help="List the connections as they were seen on the wire.")
        _declare_check(acts.add_parser("check", help="Try a bind, or everything with --full."))
        for act in ("disable", "enable"):
            acts.add_parser(act).add_argument("name")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do one act."""
        now = timezone.now()
        try:
            getattr(self, f"_{options['act']}")(options, now)
        except Refusal as refusal:
            raise CommandError(_sentence(refusal)) from refusal

    def _add(self, options: dict[str, Any], now: datetime) -> None:
        name = options["name"]
        granted = _workspaces(options)
        if options["route"] and route_by(name):
            raise CommandError(f"There is a route “{name}” already; add --no-route.")
        add_connection(
            name=name,
            settings=_settings(options),
            password=_password(options["password_file"]),
            by=COMMAND_LINE,
            now=now,
        )
        self.stdout.write(f"Connection {name} is added; the sender binds it within seconds.")
        if not options["route"]:
            return
        create_route(name=name, weights={name: 1}, by=COMMAND_LINE, now=now)
        for workspace in granted:
            grant_route(name=name, workspace=workspace, by=COMMAND_LINE, now=now)
        who = ", ".join(workspace.slug for workspace in granted) or "no workspace yet"
        self.stdout.write(f"Route {name} goes over it; it may be used by {who}.")

    def _list(self, options: dict[str, Any], now: datetime) -> None:
        found = sights(now)
        for sight in found:
            one = sight.connection
            place = f"{one.host}:{one.port}"
            words = sight.observed.value.replace("_", " ")
            line = f"{one.name:<20} {place:<28} {words:<12} {sight.sentence}"
            self.stdout.write(line.rstrip())
        if not found:
            self.stdout.write("There is no connection yet: manage.py connection add --help")

    def _check(self, options: dict[str, Any], now: datetime) -> None:
        if options["full"]:
            self._check_fully(options, now)
            return
        result = check_connection(name=options["name"], by=COMMAND_LINE, now=now)
        for step, ok, sentence in result.steps:
            self.stdout.write(f"{'ok  ' if ok else 'FAIL'} {step}: {sentence}")
        if not result.is_well:
            raise CommandError(f"{options['name']} cannot be bound.")

    def _check_fully(self, options: dict[str, Any], now: datetime) -> None:
        asked = Asked(
            numbers=options["to"],
            sender=options["sender"],
            messages=options["messages"] if options["to"] else 0,
            is_above_rate=options["above_rate"],
        )
        report = ask_report(name=options["name"], asked=asked, by=COMMAND_LINE, now=now)
        sends = f"sends at most {asked.messages} messages" if options["to"] else "sends nothing"
        self.stdout.write(f"Report {report.pk} runs for up to three minutes and {sends}.")
        done = run_report(report.pk, clock=timezone.now, tell=self._tell_step)
        if done is None:
            raise CommandError("A worker has taken this report; see the connection's page.")
        if options["out"]:
            write_files(done, options["out"])
        self.stdout.write(done.sentence)
        if any(step["state"] == "failed" for step in done.steps):
            raise CommandError(f"{options['name']} does not do all that was asked of it.")

    def _tell_step(self, step: Step) -> None:
        word = {"passed": "ok  ", "failed": "FAIL", "not_tried": "–   "}[step.state.value]
        self.stdout.write(f"{word} {step.title}: {step.sentence}")

    def _disable(self, options: dict[str, Any], now: datetime) -> None:
        disable_connection(name=options["name"], by=COMMAND_LINE, now=now)
        self.stdout.write(f"{options['name']} is disabled; what waits for it stays queued.")

    def _enable(self, options: dict[str, Any], now: datetime) -> None:
        enable_connection(name=options["name"], by=COMMAND_LINE, now=now)
        self.stdout.write(f"{options['name']} is enabled; the sender binds it within seconds.")


def _declare_check(parser: ArgumentParser) -> None:
    parser.add_argument("name")
    parser.add_argument("--full", action="store_true", help="go through everything, with a report")
    parser.add_argument(
        "--to",
        metavar="NUMBER",
        action="append",
        default=[],
        help="a test number; none: no message",
    )
    parser.add_argument("--from", dest="sender", default="", help="their sender; needed with --to")
    parser.add_argument("--messages", type=int, default=200, help="the most that may be sent")
    parser.add_argument(
        "--above-rate", action="store_true", help="ask for more than the rate for two seconds"
    )
    parser.add_argument("--out", type=Path, help="a folder for the report as HTML and JSON")


def _declare_add(parser: ArgumentParser) -> None:
    parser.add_argument("name", help="small letters, digits and hyphens")
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", required=True, type=int)
    parser.add_argument("--system-id", required=True)
    parser.add_argument("--password-file", required=True, type=Path)
    parser.add_argument("--system-type", default="")
    parser.add_argument("--ca", default="", help="who signs the partner's certificate (PEM)")
    parser.add_argument("--cert", default="", help="our certificate with its chain (PEM)")
    parser.add_argument("--key", default="", help="its key (PEM, no password)")
    parser.add_argument("--server-name", default="", help="the name in the partner's certificate")
    _declare_sessions(parser)
    parser.add_argument("--rate", type=int, default=100, help="segments a second")
    parser.add_argument("--window", type=int, default=50, help="segments without an answer")
    parser.add_argument("--budget", type=int, help="intent budget in segments; default: window")
    parser.add_argument("--alphabet", choices=Alphabet.values, default=Alphabet.GSM)
    parser.add_argument("--ids", choices=MessageIdRule.values, default=MessageIdRule.AS_IS)
    parser.add_argument("--short-code-ton", type=int, default=3)
    parser.add_argument("--carrier", default=BUILT_IN, help="see manage.py carriers")
    parser.add_argument("--carrier-settings", default="{}", metavar="JSON", type=_json_object)
    parser.add_argument("--no-route", dest="route", action="store_false")
    granted = parser.add_mutually_exclusive_group()
    granted.add_argument("--grant", metavar="WORKSPACE", action="append", default=[])
    granted.add_argument("--grant-all", action="store_true")


def _declare_sessions(parser: ArgumentParser) -> None:
    parser.add_argument("--further-host", metavar="HOST:PORT", action="append", default=[])
    parser.add_argument("--bind-form", choices=BindForm.values, default=BindForm.TRANSCEIVER)
    parser.add_argument("--binds", type=int, default=1, help="sessions, or pairs of them")
    parser.add_argument("--tls", choices=TlsVersion.values, default=TlsVersion.TLS_1_2)
    parser.add_argument("--pin", metavar="SHA256", action="append", default=[])
    parser.add_argument("--long-form", choices=LongForm.values, default=LongForm.UDH)
    table: dict[str, Any] = {"metavar": "CODE CLASS", "action": "append", "default": []}
    classes = "final, later, slow down or alarm"
    parser.add_argument("--status", **table, help=f"a command_status and its class: {classes}")
    parser.add_argument(
        "--receipt-code",
        **table,
        help=f"a code in receipts and its class: {classes}; final and later are only shown with the"
        " message, nothing that the partner took is sent again by itself",
    )


def _settings(options: dict[str, Any]) -> ConnectionSettings:
    return ConnectionSettings(
        host=options["host"],
        port=options["port"],
        system_id=options["system_id"],
        system_type=options["system_type"],
        server_name=options["server_name"],
        ca_file=_whole(options["ca"]),
        cert_file=_whole(options["cert"]),
        key_file=_whole(options["key"]),
        rate=options["rate"],
        window=options["window"],
        intent_budget=options["budget"],
        alphabet=options["alphabet"],
        message_id_rule=options["ids"],
        short_code_ton=options["short_code_ton"],
        **_dialect(options),
        carrier=options["carrier"],
        carrier_settings=options["carrier_settings"],
    )


def _json_object(text: str) -> dict[str, Any]:
    """Read the settings of a carrier."""
    try:
        typed = json.loads(text)
    except ValueError as error:
        raise ArgumentTypeError(f"not JSON: {error}") from error
    if not isinstance(typed, dict):
        raise ArgumentTypeError("not a JSON object")
    return typed


def _dialect(options: dict[str, Any]) -> dict[str, Any]:
    """Return what is written one a line on the page. Lists that cannot be read are refused."""
    try:
        return {
            "further_hosts": "\n".join(options["further_host"]),
            "bind_form": options["bind_form"],
            "bind_count": options["binds"],
            "tls_minimum": options["tls"],
            "pins": "\n".join(read_pins("\n".join(options["pin"]))),
            "long_form": options["long_form"],
            "status_classes": read_status_classes("\n".join(options["status"])),
            "receipt_classes": read_receipt_classes("\n".join(options["receipt_code"])),
        }
    except (PinRefused, ClassesRefused) as refused:
        raise CommandError(str(refused)) from refused


def _whole(path: str) -> str:
    """Return a path that means the same to processes that start elsewhere."""
    return str(Path(path).absolute()) if path else ""


def _password(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{file} cannot be read: {error}") from error


def _workspaces(options: dict[str, Any]) -> list[Workspace]:
    if options["grant_all"]:
        return list(Workspace.objects.order_by("slug"))
    found = {slug: workspace_by_slug(slug) for slug in options["grant"]}
    for slug, workspace in found.items():
        if workspace is None:
            raise CommandError(f"There is no workspace “{slug}”.")
    return [workspace for workspace in found.values() if workspace is not None]


def _sentence(refusal: Refusal) -> str:
    """Return everything that is wrong, each with the option where it is mended."""
    faults = getattr(refusal, "faults", None)
    if not faults:
        option = CHECK_OPTIONS.get(refusal.field)
        return f"{option}: {refusal.sentence}" if option else refusal.sentence
    return "\n".join(f"{fault.field}: {fault.sentence}" for fault in faults)
