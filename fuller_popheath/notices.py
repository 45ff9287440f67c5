"""Tells people of a run: by e-mail through the site's own mail server, and by a webhook of Teams or Slack. Counts and names of steps only.

A notice never holds the words of an error, nor anything that a table holds. What does not belong here: deciding when a run has ended
(`pipelines/after_night.py`), and reading a clock.
"""

from __future__ import annotations

import json
import smtplib
import ssl
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

from fuller_popheath.errors import SettingsWrong
from fuller_popheath.night_records import RunRecord
from fuller_popheath.site import PROJECT_ROOT
from fuller_popheath.site_nights import Notices

PASSWORD_VARIABLE, WEBHOOK_VARIABLE = "FULLER_SMTP_PASSWORD", "FULLER_WEBHOOK_URL"
NAMED = 10
"""So many steps are named; of more it is said how many."""
EMAIL, WEBHOOK = "e-mail", "webhook"
PLAIN_HTTP = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Notice:
    """What people are told: one line, and the lines below it."""

    subject: str
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """All of it, as plain text."""
        return "\n".join((self.subject, "", *self.lines))


def is_to_be_told(record: RunRecord, settings: Notices) -> bool:
    """Whether people want to know of this run."""
    return settings.tell_of == "always" or not record.is_green or (settings.tell_of == "warnings" and record.warnings > 0)


def notice_of(record: RunRecord, settings: Notices) -> Notice:
    """A run in counts and names."""
    day = f" of {record.as_of.isoformat()}" if record.as_of else ""
    said = "went well" if record.is_green else "needs looking at" if record.status == "success" else f"ended as {record.status}"
    lines = [f"{record.errors} errors, {record.warnings} warnings; {record.seconds / 60:.0f} minutes; run {record.run_id[:8]}."]
    lines += _named("Errors at", [f"{each.where}{f' ({each.kind})' if each.kind else ''}" for each in record.troubles if each.is_error])
    lines += _named("Warnings at", [each.where for each in record.troubles if not each.is_error])
    lines += _named("Not made", record.not_made)
    lines.append(f"People find the release {record.release}." if record.release else "There is no release yet.")
    if record.is_night and record.status != "success":
        lines.append("It is an earlier night's: what failed has changed nothing of it." if record.release else "Nothing was released.")
    lines.append("What to do stands on the status page and in: fuller status.")
    if settings.address_of_page:
        lines.append(f"{settings.address_of_page.rstrip('/')}/runs/{record.run_id}")
    return Notice(f"fuller: {record.job}{day} {said}", tuple(lines))


def overdue(hours: int, last: RunRecord | None, settings: Notices) -> Notice:
    """What people are told where no night came. `hours`: since the last one ended, or since they were switched on."""
    lines = [f"The last night ended {hours} hours ago." if last else "There has been no night yet.", "Look whether the Dagster daemon runs."]
    lines += [settings.address_of_page] if settings.address_of_page else []
    return Notice("fuller: a night is missing", tuple(lines))


def _named(what: str, names: Any) -> list[str]:
    names = list(dict.fromkeys(names))
    if not names:
        return []
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return [f"{what}: {', '.join(names[:NAMED])}{more}."]


def ways(settings: Notices) -> tuple[str, ...]:
    """Which ways the site has chosen."""
    return tuple(name for name, is_wanted in ((EMAIL, bool(settings.email_to)), (WEBHOOK, bool(settings.webhook))) if is_wanted)


def send(notice: Notice, settings: Notices, environment: Mapping[str, str], way: str) -> str:
    """Send a notice one way. Returns why it could not be done, in words without addresses or secrets; empty where it went well.

    Never raises for a server or a setting: who cannot be told must not cost a night.
    """
    try:
        (send_email if way == EMAIL else send_to_webhook)(notice, settings, environment)
    except SettingsWrong as wrong:
        return f"{way}: {wrong}"
    except HTTPError as refused:
        refused.close()
        return f"{way}: the server answered {refused.code}"
    except (OSError, smtplib.SMTPException, HTTPException, ValueError) as raised:
        return f"{way}: {type(raised).__name__} while sending; look at [notices] in site.toml and at the server"
    return ""


def send_email(notice: Notice, settings: Notices, environment: Mapping[str, str]) -> None:
    """Hand an e-mail to the site's mail server. Raises SettingsWrong, OSError or SMTPException."""
    if not settings.smtp_host or not settings.email_from:
        raise SettingsWrong("[notices] has email_to, so it needs smtp_host and email_from too")
    if settings.smtp_user and not settings.smtp_starttls:
        raise SettingsWrong("[notices] smtp_user needs smtp_starttls = true: a password does not travel in clear")
    password = secret(environment, PASSWORD_VARIABLE, settings.smtp_password_file, "smtp_password_file") if settings.smtp_user else ""
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = notice.subject, settings.email_from, ", ".join(settings.email_to)
    message.set_content("\n".join(notice.lines) + "\n")
    with smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=settings.timeout_seconds) as server:
        if settings.smtp_starttls:
            server.starttls(context=ssl.create_default_context())
        if password:
            server.login(settings.smtp_user, password)
        if refused := server.send_message(message):
            raise smtplib.SMTPRecipientsRefused(refused)


def send_to_webhook(notice: Notice, settings: Notices, environment: Mapping[str, str]) -> None:
    """Post a notice to Teams or Slack. Raises SettingsWrong, OSError or HTTPError."""
    url = secret(environment, WEBHOOK_VARIABLE, settings.webhook_file, "webhook_file")
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in PLAIN_HTTP):
        raise SettingsWrong("the webhook's address must begin with https://")
    body = json.dumps(teams(notice) if settings.webhook == "teams" else slack(notice)).encode()
    asked = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json; charset=utf-8"}, method="POST")
    # A redirect would carry the notice somewhere that the site did not name.
    opener = urllib.request.build_opener(_NoRedirect())
    with opener.open(asked, timeout=settings.timeout_seconds) as answer:
        answer.read(1_000)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def teams(notice: Notice) -> dict[str, Any]:
    """The message of a Teams workflow that posts what a webhook receives: an adaptive card."""
    blocks = [{"type": "TextBlock", "text": notice.subject, "weight": "Bolder", "wrap": True}]
    blocks += [{"type": "TextBlock", "text": line, "wrap": True} for line in notice.lines]
    card = {"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4", "body": blocks}
    return {"type": "message", "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": card}]}


def slack(notice: Notice) -> dict[str, Any]:
    """The message of a Slack incoming webhook; the three signs that are markup there are escaped."""
    text = notice.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return {"text": text}


def secret(environment: Mapping[str, str], variable: str, file: str, setting: str) -> str:
    """What an environment variable holds, or a file outside the project. Raises SettingsWrong where neither does."""
    if given := environment.get(variable, "").strip():
        return given
    if not file:
        raise SettingsWrong(f"set {variable}, or name a file outside the project in [notices] {setting}")
    path = Path(file)
    path = path if path.is_absolute() else PROJECT_ROOT / path
    if path.resolve().is_relative_to(PROJECT_ROOT):
        raise SettingsWrong(f"[notices] {setting} lies inside the project, where it could be committed; move it out and read it with one user only")
    try:
        if path.stat().st_mode & 0o077:
            raise SettingsWrong(f"[notices] {setting} can be read by others than its owner; set its mode: chmod 600")
        found = path.read_text(encoding="utf-8").strip()
    except OSError:
        raise SettingsWrong(f"[notices] {setting} names a file that cannot be read") from None
    if not found:
        raise SettingsWrong(f"[notices] {setting} names a file that is empty")
    return found
