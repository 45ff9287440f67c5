"""Who is told of a run, on real servers of this machine: a mail server, with and without encryption, and a web server in place of Teams or Slack."""

from __future__ import annotations

import datetime as dt
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from fuller_popheath.errors import SettingsWrong
from fuller_popheath.night_records import Coverage, RunRecord, Step, Trouble, first_to_tell, keep, newest, not_told
from fuller_popheath.notices import EMAIL, WEBHOOK, is_to_be_told, notice_of, overdue, secret, send, slack, teams, ways
from fuller_popheath.site_nights import Notices
from tests.pipelines.conftest import Place

NUMBER = "943 476 5919"
"""An NHS number that is valid by its check digit and belongs to nobody here."""
START = dt.datetime(2026, 10, 25, 2, 0, tzinfo=dt.UTC)
FAILED = RunRecord(
    run_id="0a1b2c3d-0000-4000-8000-000000000000",
    job="nightly",
    status="failure",
    started=START,
    ended=START + dt.timedelta(minutes=9),
    as_of=dt.date(2026, 10, 24),
    troubles=(
        Trouble("core/person · contract", True, f"words that are never sent {NUMBER}", "ContractBroken"),
        Trouble("core/registered_count · list_size", False, "3 of 24 practices changed"),
    ),
    not_made=("products/core20_by_pcn",),
    release="2026-10-23_aa",
    release_as_of=dt.date(2026, 10, 23),
)
GREEN = replace(FAILED, status="success", troubles=(), not_made=())
WARNED = replace(GREEN, troubles=FAILED.troubles[1:])


@dataclass
class Mailbox:
    """What a mail server took."""

    port: int
    taken: list[Any] = field(default_factory=list)
    logins: list[bytes] = field(default_factory=list)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - the server's own name
        self.taken.append(envelope)
        return "250 taken"


def serve_mail(**options: Any) -> Iterator[Mailbox]:
    controller = pytest.importorskip("aiosmtpd.controller", reason="aiosmtpd is not installed, so no mail can be sent to anybody")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        box = Mailbox(free.getsockname()[1])
    server = controller.Controller(box, hostname="127.0.0.1", port=box.port, **options)
    server.start()
    try:
        yield box
    finally:
        server.stop()


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    yield from serve_mail()


def by_mail(port: int, **more: Any) -> Notices:
    return Notices(
        email_to=("night@example.nhs.uk", "second@example.nhs.uk"), email_from="fuller@example.nhs.uk", smtp_host="127.0.0.1", smtp_port=port, **more
    )


@pytest.fixture
def hook() -> Iterator[HTTPServer]:
    """A web server that takes what is posted; `answer` is what it says."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            server: Any = self.server
            server.posted.append((self.path, self.headers["Content-Type"], self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(server.answer)
            if server.answer == 302:
                self.send_header("Location", f"http://127.0.0.1:{server.server_port}/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server: Any = HTTPServer(("127.0.0.1", 0), Handler)
    server.posted, server.answer = [], 202
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def address(server: HTTPServer) -> dict[str, str]:
    return {"FULLER_WEBHOOK_URL": f"http://127.0.0.1:{server.server_port}/workflow?sig=a-secret"}


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


def test_a_failed_night_reaches_every_mailbox(mailbox: Mailbox) -> None:
    settings = by_mail(mailbox.port, address_of_page="https://fuller.example.nhs.uk/")
    assert send(notice_of(FAILED, settings), settings, {}, EMAIL) == ""
    (envelope,) = mailbox.taken
    assert envelope.rcpt_tos == ["night@example.nhs.uk", "second@example.nhs.uk"]
    message = message_from_bytes(envelope.content)
    assert message["Subject"] == "fuller: nightly of 2026-10-24 ended as failure"
    text = message.get_payload(decode=True).decode()  # type: ignore[union-attr]
    for told in (
        "1 errors, 1 warnings; 9 minutes; run 0a1b2c3d",
        "Errors at: core/person · contract (ContractBroken).",
        "Not made: products/core20_by_pcn.",
    ):
        assert told in text
    assert "People find the release 2026-10-23_aa." in text
    assert f"https://fuller.example.nhs.uk/runs/{FAILED.run_id}" in text
    assert NUMBER not in text and "words that are never sent" not in text


@pytest.mark.parametrize("kind", ["teams", "slack"])
def test_a_failed_night_reaches_the_channel(hook: Any, kind: str) -> None:
    settings = Notices(webhook=kind)
    assert send(notice_of(FAILED, settings), settings, address(hook), WEBHOOK) == ""
    ((path, content_type, body),) = hook.posted
    assert path == "/workflow?sig=a-secret" and content_type.startswith("application/json")
    told = json.loads(body)
    if kind == "teams":
        card = told["attachments"][0]
        assert told["type"] == "message" and card["contentType"] == "application/vnd.microsoft.card.adaptive"
        assert card["content"]["type"] == "AdaptiveCard" and {block["type"] for block in card["content"]["body"]} == {"TextBlock"}
        text = "\n".join(block["text"] for block in card["content"]["body"])
    else:
        text = told["text"]
    assert "ended as failure" in text and "core/person" in text and NUMBER not in text


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for this machine, made on the spot."""
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    built = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now - dt.timedelta(hours=1), now + dt.timedelta(hours=1)
    )
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    signed = built.add_extension(names, critical=False).sign(key, hashes.SHA256())
    pem, secret_key = folder / "server.pem", folder / "server.key"
    pem.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    secret_key.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    return pem, secret_key


def test_encrypted_with_a_password_only_to_a_server_that_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    smtp = pytest.importorskip("aiosmtpd.smtp", reason="aiosmtpd is not installed, so no mail can be sent to anybody")
    pem, secret_key = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, secret_key)
    logins: list[bytes] = []

    def checked(_server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> Any:
        logins.append(given.password)
        return smtp.AuthResult(success=given.password == b"right", handled=False)

    server = serve_mail(tls_context=context, require_starttls=True, auth_required=True, authenticator=checked)
    box = next(server)
    try:
        settings = by_mail(box.port, smtp_starttls=True, smtp_user="fuller")
        told = notice_of(FAILED, settings)
        refused = send(told, settings, {"FULLER_SMTP_PASSWORD": "right"}, EMAIL)
        assert refused.startswith("e-mail: SSLCertVerificationError") and not logins
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
        assert "SMTPAuthenticationError" in send(told, settings, {"FULLER_SMTP_PASSWORD": "wrong"}, EMAIL)
        assert send(told, settings, {"FULLER_SMTP_PASSWORD": "right"}, EMAIL) == ""
        assert logins[-1] == b"right" and len(box.taken) == 1
    finally:
        server.close()


def test_a_password_never_travels_in_clear(mailbox: Mailbox) -> None:
    settings = by_mail(mailbox.port, smtp_user="fuller")
    assert "smtp_starttls" in send(notice_of(FAILED, settings), settings, {"FULLER_SMTP_PASSWORD": "x"}, EMAIL)
    assert not mailbox.taken


def test_a_server_that_is_away_or_refuses_is_said_without_its_address(hook: Any) -> None:
    away = by_mail(1)
    assert send(notice_of(FAILED, away), away, {}, EMAIL) == (
        "e-mail: ConnectionRefusedError while sending; look at [notices] in site.toml and at the server"
    )
    settings = Notices(webhook="teams")
    hook.answer = 500
    assert send(notice_of(FAILED, settings), settings, address(hook), WEBHOOK) == "webhook: the server answered 500"
    hook.answer = 302
    assert send(notice_of(FAILED, settings), settings, address(hook), WEBHOOK) == "webhook: the server answered 302"
    assert len(hook.posted) == 2, "a redirect is not followed"


@pytest.mark.parametrize("url", ["http://example.nhs.uk/x", "file:///etc/passwd", "ftp://127.0.0.1/x", "nonsense"])
def test_a_webhook_is_posted_to_encrypted_addresses_only(url: str) -> None:
    assert send(notice_of(FAILED, Notices()), Notices(webhook="slack"), {"FULLER_WEBHOOK_URL": url}, WEBHOOK) == (
        "webhook: the webhook's address must begin with https://"
    )


def test_secrets_come_from_the_environment_or_a_private_file_outside_the_project(tmp_path: Path, project_root: Path) -> None:
    file = tmp_path / "password"
    file.write_text("geheim\n", encoding="utf-8")
    file.chmod(0o600)
    assert secret({"V": " given "}, "V", str(file), "s") == "given"
    assert secret({}, "V", str(file), "s") == "geheim"
    file.chmod(0o640)
    with pytest.raises(SettingsWrong, match="chmod 600"):
        secret({}, "V", str(file), "s")
    for wrong, words in (
        (str(project_root / "site.toml"), "inside the project"),
        ("site.toml", "inside the project"),
        (str(tmp_path / "no"), "cannot be read"),
    ):
        with pytest.raises(SettingsWrong, match=words):
            secret({}, "V", wrong, "s")
    with pytest.raises(SettingsWrong, match="set V, or name a file"):
        secret({}, "V", "", "s")


@pytest.mark.parametrize(("tell_of", "told"), [("errors", (True, False, False)), ("warnings", (True, True, False)), ("always", (True, True, True))])
def test_the_site_says_of_which_runs_people_are_told(tell_of: str, told: tuple[bool, ...]) -> None:
    settings = Notices(tell_of=tell_of)
    assert tuple(is_to_be_told(record, settings) for record in (FAILED, WARNED, GREEN)) == told


def test_a_line_break_cannot_become_a_header() -> None:
    with pytest.raises(ValueError, match="one line"):
        Notices(email_to=("a@example.nhs.uk\nBcc: b@example.org",))


def test_signs_that_are_markup_in_slack_are_text() -> None:
    record = replace(FAILED, troubles=(Trouble("a <!channel> & b", True, ""),))
    assert "a &lt;!channel&gt; &amp; b" in slack(notice_of(record, Notices()))["text"]


def test_many_steps_are_named_in_few_words() -> None:
    told = notice_of(replace(FAILED, not_made=tuple(f"table/{number}" for number in range(40))), Notices())
    assert "table/9 and 30 more." in told.text and "table/10" not in told.text
    assert len(json.dumps(teams(told))) < 20_000


def test_a_missing_night_is_told() -> None:
    assert "28 hours ago" in overdue(28, GREEN, Notices()).text
    assert "no night yet" in overdue(28, None, Notices()).text


def test_a_run_is_told_once_each_way_until_it_could_be_told(tmp_path: Path) -> None:
    assert [first_to_tell(tmp_path, "r", EMAIL) for _ in range(2)] == [True, False]
    assert first_to_tell(tmp_path, "r", WEBHOOK)
    not_told(tmp_path, "r", EMAIL)
    assert first_to_tell(tmp_path, "r", EMAIL)
    assert ways(Notices()) == () and ways(Notices(email_to=("a@b",), webhook="slack")) == (EMAIL, WEBHOOK)


def test_a_record_comes_back_as_it_was_written(tmp_path: Path) -> None:
    steps = (Step("core/person", "people", 1.5, cpu_seconds=1.2, peak_megabytes=300.0, rows=6_000),)
    record = replace(FAILED, steps=steps, coverage=Coverage(6_000, 5, 8, 7, {"inbound/practice_list": {"new": 7}}, {"inbound/practice_list": 2}))
    path = keep(tmp_path, record)
    assert newest(tmp_path) == (record,)
    assert path.stat().st_mode & 0o777 == 0o600 and tmp_path.stat().st_mode & 0o777 == 0o700
    (tmp_path / "runs" / "99991231T000000_broken.json").write_text("{", encoding="utf-8")
    assert newest(tmp_path) == (record,)


def ended_run(instance: dg.DagsterInstance, place: Place) -> dg.DagsterRun:
    """A real run in which a step failed with a person's number in the error."""
    from pipelines.guard import guarded

    @dg.asset(name="fails", group_name="people")
    @guarded
    def fails() -> Iterator[dg.MaterializeResult[None]]:
        raise KeyError(NUMBER)
        yield dg.MaterializeResult()

    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    job = dg.Definitions(assets=[fails], jobs=[dg.define_asset_job("nightly", selection="fails")]).resolve_job_def("nightly")
    return job.execute_in_process(instance=instance, raise_on_error=False, run_config=quiet).dagster_run


def test_a_failed_run_is_written_down_and_told_once(
    place: Place, instance: dg.DagsterInstance, mailbox: Mailbox, hook: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines.after_night import finish

    more = f"""[notices]
email_to = ["night@example.nhs.uk"]
email_from = "fuller@example.nhs.uk"
smtp_host = "127.0.0.1"
smtp_port = {mailbox.port}
webhook = "teams"
"""
    settings = place.folder / "site.toml"
    settings.write_text(settings.read_text(encoding="utf-8") + more, encoding="utf-8")
    monkeypatch.setenv("FULLER_WEBHOOK_URL", address(hook)["FULLER_WEBHOOK_URL"])
    run = ended_run(instance, place)
    hook.answer = 503
    record, failed = finish(instance, run.run_id, lambda _: "people")
    assert failed == ("webhook: the server answered 503",)
    hook.answer = 202
    assert [finish(instance, run.run_id, lambda _: "people")[1] for _ in range(2)] == [(), ()]
    assert len(mailbox.taken) == 1 and len(hook.posted) == 2, "told once each way, and once more where it could not be"
    assert record.status == "failure" and record.errors == 1 and not record.is_green
    assert [(step.name, step.group, step.is_made) for step in record.steps] == [("fails", "people", False)]
    status = place.folder / "var" / "status"
    everything = b"".join(path.read_bytes() for path in status.rglob("*") if path.is_file())
    assert NUMBER.encode() not in everything and NUMBER.encode() not in mailbox.taken[0].content
    assert b"KeyError" in (status / "index.html").read_bytes()
    # A run that is tried again is told of when it has ended for good.
    again = ended_run(instance, place)
    finish(instance, again.run_id, lambda _: "", is_retried=True)
    assert len(mailbox.taken) == 1


@pytest.mark.filterwarnings("ignore:Parameter `repository_def`")
def test_the_sensor_after_a_failure_tells_of_it(place: Place, instance: dg.DagsterInstance) -> None:
    from pipelines.definitions import defs

    repository = defs().get_repository_def()
    run = ended_run(instance, place)
    (entry,) = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE)
    with dg.build_run_status_sensor_context("after_failure", entry.dagster_event, instance, run, repository_def=repository) as context:  # type: ignore[arg-type]
        repository.get_sensor_def("after_failure")(context.for_run_failure())
    (record,) = newest(place.folder / "var" / "status")
    assert (record.run_id, record.status) == (run.run_id, "failure")
