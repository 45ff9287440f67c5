"""Attacks on the Dagster page through the nginx configuration that is shipped, with the webservers that the units start."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import quote

import pytest

from tests.security.conftest import ANALYST, HOST, READER, Answer, Installation

SELECTOR = {"repositoryLocationName": "fuller", "repositoryName": "__repository__"}
ADDED = (
    """mutation { reportRunlessAssetEvents(eventParams: {eventType: ASSET_MATERIALIZATION, assetKey: {path: ["core", "person"]}}) { __typename } }"""
)
LAUNCH = """mutation($p: ExecutionParams!) { launchRun(executionParams: $p) { __typename ... on LaunchRunSuccess { run { runId } }
  ... on PythonError { message } ... on InvalidSubsetError { message } ... on RunConfigValidationInvalid { errors { message } } } }"""
MADE = """{ assetOrError(assetKey: {path: ["core", "person"]}) { ... on Asset { assetMaterializations { timestamp } } }
  runsOrError { ... on Runs { results { runId status tags { key value } } } } }"""
LEADING_OUT = ("/logs/..%2f..%2fsite.toml", "/logs/../../site.toml", "/static/..%2f..%2f..%2fsite.toml", "/logs/%2e%2e/%2e%2e/site.toml")
UNAUTHORISED = b"UnauthorizedError"
HANDSHAKE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol": "graphql-ws",
}


def posted(query: str, variables: dict[str, Any] | None = None) -> bytes:
    return json.dumps({"query": query, "variables": variables or {}}).encode()


def state(installation: Installation) -> tuple[int, dict[str, dict[str, str]]]:
    """How many events an asset has, and the tags of every run: what a mutation would change."""
    told = json.loads(installation.ask("POST", "/graphql", posted(MADE)).body)["data"]
    runs = {run["runId"]: {tag["key"]: tag["value"] for tag in run["tags"]} for run in told["runsOrError"]["results"]}
    return len(told["assetOrError"].get("assetMaterializations", ())), runs


@pytest.fixture
def unchanged(installation: Installation) -> Any:
    """Whatever was tried, nothing has been written."""
    before = state(installation)
    yield before
    assert state(installation) == before


def launch(installation: Installation, user: str, headers: dict[str, str] | None = None) -> Answer:
    """Ask for a run of the nightly job; the code may still be loading."""
    night = {"resources": {"night": {"config": {"as_of": "", "landing": "", "edition": "both", "icb": ""}}}}
    asked = {"selector": {**SELECTOR, "jobName": "nightly"}, "runConfigData": night, "mode": "default"}
    end = time.monotonic() + 90
    while True:
        answer = installation.ask("POST", "/graphql?op=LaunchRun", posted(LAUNCH, {"p": asked}), user, headers=headers)
        if b"PipelineNotFoundError" not in answer.body or time.monotonic() > end:
            return answer
        time.sleep(1)


def test_nobody_sees_anything_without_signing_in(installation: Installation, unchanged: Any) -> None:
    for path in ("/", "/server_info", "/runs"):
        assert installation.ask("GET", path, user=None).status == 401
    assert installation.ask("POST", "/graphql", posted(ADDED), user=None).status == 401


def test_an_analyst_and_a_reader_see_the_page(installation: Installation, unchanged: Any) -> None:
    for user in (ANALYST, READER):
        page = installation.ask("GET", "/", user=user)
        assert page.status == 200 and b"<html" in page.body.lower()
        assert page.headers["x-frame-options"] == "DENY" and "strict-transport-security" in page.headers
        assert json.loads(installation.ask("POST", "/graphql", posted("{ version }"), user).body)["data"]["version"]


def test_an_analysts_run_carries_the_name_that_nginx_vouches_for(installation: Installation) -> None:
    answer = launch(installation, ANALYST, {"X-Forwarded-Email": "somebody.else@example.nhs.uk"})
    assert answer.status == 200 and b"LaunchRunSuccess" in answer.body, answer.body
    run = json.loads(answer.body)["data"]["launchRun"]["run"]["runId"]
    assert state(installation)[1][run]["fuller/requested_by"] == ANALYST


def test_a_reader_changes_nothing(installation: Installation, unchanged: Any) -> None:
    assert UNAUTHORISED in launch(installation, READER).body
    assert UNAUTHORISED in installation.ask("POST", "/graphql", posted(ADDED), READER).body
    pretended = {"X-Forwarded-Email": ANALYST, "X-Remote-User": ANALYST, "Remote-User": ANALYST}
    assert UNAUTHORISED in installation.ask("POST", "/graphql", posted(ADDED), READER, headers=pretended).body


@pytest.mark.parametrize("user", [ANALYST, READER])
@pytest.mark.parametrize(
    ("method", "path", "more"),
    [
        ("GET", "/graphql", {}),
        ("GET", "/graphql/", {}),
        ("GET", "//graphql", {}),
        ("GET", "/%67raphql", {}),
        ("GET", "/x/../graphql", {}),
        ("HEAD", "/graphql", {}),
        ("PUT", "/graphql", {}),
        ("GET", "/graphql", {"Upgrade": "websocket", "Connection": "Upgrade"}),
        ("GET", "/graphql", {"Upgrade": "h2c", "Connection": "Upgrade"}),
        ("GET", "/graphql", {"X-HTTP-Method-Override": "POST"}),
    ],
)
def test_a_mutation_by_get_is_refused(installation: Installation, unchanged: Any, user: str, method: str, path: str, more: dict[str, str]) -> None:
    assert installation.ask(method, f"{path}?query={quote(ADDED)}", user=user, headers=more).status == 405


def test_past_nginx_a_mutation_by_get_is_executed(installation: Installation) -> None:
    """Why the rule is there, and why nothing but the loopback may reach a webserver."""
    before = state(installation)[0]
    assert installation.ask_behind(installation.writable, "GET", f"/graphql?query={quote(ADDED)}").status == 200
    assert state(installation)[0] == before + 1


@pytest.mark.parametrize("origin", ["https://evil.example", "null", f"http://{HOST}", f"https://{HOST}.evil.example", f"https://{HOST}:8443"])
def test_another_sites_page_cannot_use_an_analysts_session(installation: Installation, unchanged: Any, origin: str) -> None:
    for kind in ("application/json", "text/plain"):
        assert installation.ask("POST", "/graphql", posted(ADDED), headers={"Origin": origin, "Content-Type": kind}).status == 403
    assert installation.ask("GET", "/graphql", headers={"Origin": origin, **HANDSHAKE}).status == 403


def test_a_browser_that_says_that_another_site_asks_is_refused(installation: Installation, unchanged: Any) -> None:
    assert installation.ask("POST", "/graphql", posted(ADDED), headers={"Sec-Fetch-Site": "cross-site"}).status == 403
    assert installation.ask("GET", "/runs", headers={"Sec-Fetch-Site": "cross-site"}).status == 200  # a link in a mail


def test_the_pages_own_websocket_is_let_through(installation: Installation) -> None:
    for user in (ANALYST, READER):
        assert installation.ask("GET", "/graphql", user=user, headers={"Origin": f"https://{HOST}", **HANDSHAKE}).status == 101


@pytest.mark.parametrize("user", [ANALYST, READER])
def test_a_mutation_through_the_websocket_changes_nothing(installation: Installation, unchanged: Any, user: str) -> None:
    """The websocket is for what is watched; a mutation that is sent through it is not executed, whoever sends it."""
    with installation.socket(user) as socket:
        for message in ({"type": "connection_init", "payload": {}}, {"id": "1", "type": "start", "payload": {"query": ADDED, "variables": {}}}):
            socket.send(json.dumps(message))
        heard = [json.loads(socket.recv(timeout=20))["type"]]
        while heard[-1] not in ("error", "complete", "connection_error"):
            heard.append(json.loads(socket.recv(timeout=20))["type"])
    assert heard[0] == "connection_ack"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "localhost", f"{HOST}.evil.example"])
def test_another_host_is_answered_by_nobody(installation: Installation, unchanged: Any, host: str) -> None:
    assert installation.ask("GET", "/", host=host).status == 421
    assert installation.ask("POST", "/graphql", posted(ADDED), host=host).status == 421


@pytest.mark.parametrize(
    "path",
    [
        *("/notebook", "/notebook?repoLocName=fuller&path=/etc/passwd", "/dagit/notebook", "//notebook", "/%6eotebook"),
        *("/report_asset_materialization/core/person", "/report_asset_check/core/person", "/report_asset_observation/core/person"),
        *("/download_debug/00000000-0000-0000-0000-000000000000", "/./download_debug/x"),
    ],
)
def test_paths_that_run_code_or_pass_the_page_by_are_closed(installation: Installation, unchanged: Any, path: str) -> None:
    for user in (ANALYST, READER):
        assert installation.ask("GET", path, user=user).status == 403
        assert installation.ask("POST", path, b"{}", user=user).status in (403, 405)


@pytest.mark.parametrize(
    "path", ["/logs/..%2f..%2fsite.toml", "/logs/../../site.toml", "/static/..%2f..%2f..%2fsite.toml", "/logs/%2e%2e/%2e%2e/site.toml"]
)
def test_a_path_leads_to_no_other_file(installation: Installation, unchanged: Any, path: str) -> None:
    answer = installation.ask("GET", path)
    assert b"[folders]" not in answer.body


def test_a_question_that_is_too_long_is_refused(installation: Installation, unchanged: Any) -> None:
    assert installation.ask("POST", "/graphql", posted("#" * (2 << 20))).status == 413


def test_who_asked_for_what_is_on_record_and_what_was_asked_is_not(installation: Installation) -> None:
    installation.ask("POST", "/graphql?op=Remarkable", posted("{ version }", {"x": "a word"}), READER)
    end = time.monotonic() + 20
    lines: list[dict[str, Any]] = []
    while not lines and time.monotonic() < end:
        text = (installation.folder / "fuller_audit.log").read_text(encoding="utf-8")
        lines = [line for line in map(json.loads, text.splitlines()) if line["operation"] == "Remarkable"]
    assert lines[0]["who"] == READER and lines[0]["status"] == 200 and lines[0]["server"].endswith(str(installation.readonly))
    assert "a word" not in text and "no-secret-but-a-test" not in text
