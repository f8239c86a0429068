"""The OpenAPI document: it lists what there is, and what there is does as it says."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client
from hypothesis import HealthCheck, Phase, given, seed, settings
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.campaigns.api.care import DOCUMENT, VALUES, Care
from workspaces.gate.permission import permission_of, routes
from workspaces.rules.permissions import PUBLIC

CALLS_PER_MODE = 12
WANTED = {
    GenerationMode.POSITIVE: {200, 201, 404},
    GenerationMode.NEGATIVE: {400, 404},
}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The document as anybody reads it."""
    found: dict[str, Any] = json.loads(Client().get(DOCUMENT).content)
    return found


def _routes() -> Iterator[tuple[str, str, Any]]:
    """Yield (path, method, view) of every route below /api/."""
    for text, pattern in routes():
        if text.startswith("/api/"):
            view: Any = pattern.callback
            path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", text)
            for method in ("get", "post", "put", "patch", "delete"):
                if hasattr(view.cls, method):
                    yield path, method, view


def test_the_document_lists_every_route_and_no_other(document: dict[str, Any]) -> None:
    listed = {(path, method) for path, ways in document["paths"].items() for method in ways}
    assert listed == {(path, method) for path, method, _view in _routes()}


def test_it_is_openapi_3_1_with_one_key_scheme(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    scheme = document["components"]["securitySchemes"]["key"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")


def test_every_operation_but_the_public_ones_needs_a_key(document: dict[str, Any]) -> None:
    for path, method, view in _routes():
        operation = document["paths"][path][method]
        is_public = permission_of(view, method.upper()) == PUBLIC
        assert ("security" not in operation) is is_public, path
        assert is_public or {"401", "429"} <= set(operation["responses"])


def test_every_error_is_a_problem_document(document: dict[str, Any]) -> None:
    for path, ways in document["paths"].items():
        for operation in ways.values():
            errors = {k: v for k, v in operation["responses"].items() if int(k) >= 400}
            assert errors
            for answer in errors.values():
                assert list(answer["content"]) == ["application/problem+json"], path


def test_every_operation_has_a_name_a_line_and_words(document: dict[str, Any]) -> None:
    operations = [way for ways in document["paths"].values() for way in ways.values()]
    assert len({way["operationId"] for way in operations}) == len(operations)
    assert all(way["summary"] and way["description"] for way in operations)


def test_bodies_take_no_other_members(document: dict[str, Any]) -> None:
    assert document["components"]["schemas"]["PushBody"]["additionalProperties"] is False


def test_every_schema_is_a_schema(document: dict[str, Any]) -> None:
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


# --- generated calls ----------------------------------------------------------------------------


@pytest.fixture
def application(desk: Care) -> Iterator[WSGIHandler]:
    """The product's application, which leaves the test its connection."""
    desk.push(client_reference="known")
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield WSGIHandler()
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_generated_calls_are_answered_as_documented(
    desk: Care, application: WSGIHandler, mode: GenerationMode
) -> None:
    """More than 200 calls in all, the same in every run."""
    schema = schemathesis.openapi.from_wsgi(DOCUMENT, application)
    answers: list[int] = []
    for found in schema.get_all_operations():
        operation: Any = found.ok()  # type: ignore[union-attr]
        if mode is GenerationMode.NEGATIVE and operation.path == DOCUMENT:
            continue
        strategy = operation.as_strategy(generation_mode=mode)

        @seed(20261121)
        @settings(
            max_examples=CALLS_PER_MODE,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=strategy)
        def call(case: Any) -> None:
            _steer(case, desk, mode)
            answer = case.call(headers=desk.headers())
            checks = [*CHECKS]
            if mode is GenerationMode.NEGATIVE:
                checks.append(negative_data_rejection)
            case.validate_response(answer, checks=checks)
            answers.append(answer.status_code)

        call()

    assert len(answers) >= 100
    assert set(answers) >= WANTED[mode]


def _steer(case: Any, desk: Care, mode: GenerationMode) -> None:
    """Let every other good call meet something that is there."""
    if mode is GenerationMode.POSITIVE and isinstance(case.body, dict) and len(repr(case.body)) % 2:
        case.body |= {"campaign": str(desk.campaign), "to": "+447700900123", "values": VALUES}
