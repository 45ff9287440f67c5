"""An installation as deploy/ describes it, below a temporary folder: its processes started from the units' own commands, behind a real nginx."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
HOST = "fuller.example.nhs.uk"
PASSWORD = "no-secret-but-a-test"
ANALYST, READER = "analyst@example.nhs.uk", "reader@example.nhs.uk"
FOLDERS = ("landing", "store", "quarantine", "products", "vault", "spill", "models")
SECONDS = 120
NGINX = shutil.which("nginx") or next((path for path in ("/usr/sbin/nginx", "/usr/local/sbin/nginx") if Path(path).is_file()), None)


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Installation:
    """Where the processes listen, and the folder that everything lies in."""

    folder: Path
    writable: int
    readonly: int
    door: int

    def ask(
        self, method: str, path: str, body: bytes = b"", user: str | None = ANALYST, host: str = HOST, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request through nginx, as a browser of `user` (None: nobody signed in) would send it."""
        from base64 import b64encode

        connection = HTTPSConnection("127.0.0.1", self.door, timeout=SECONDS, context=self.trusted())
        sent = {"Host": host, **({"Content-Type": "application/json"} if body else {}), **(headers or {})}
        if user:
            sent["Authorization"] = "Basic " + b64encode(f"{user}:{PASSWORD}".encode()).decode()
        return answered(connection, method, path, body, sent)

    def socket(self, user: str) -> Any:
        """A websocket as the page of `user` opens it; a context manager."""
        from base64 import b64encode

        from websockets.sync.client import connect

        signed_in = {"Authorization": "Basic " + b64encode(f"{user}:{PASSWORD}".encode()).decode(), "Origin": f"https://{HOST}"}
        tunnel = socket.create_connection(("127.0.0.1", self.door), timeout=SECONDS)
        return connect(
            f"wss://{HOST}/graphql", sock=tunnel, ssl=self.trusted(), server_hostname=HOST, subprotocols=["graphql-ws"], additional_headers=signed_in
        )

    def trusted(self) -> ssl.SSLContext:
        """Trust in the test's own certificate."""
        context = ssl.create_default_context(cafile=str(self.folder / "certificate.pem"))
        context.check_hostname = False
        return context

    def ask_behind(self, port: int, method: str, path: str, body: bytes = b"") -> Answer:
        """One request to a webserver itself, past nginx: what the rules keep away."""
        return answered(HTTPConnection("127.0.0.1", port, timeout=SECONDS), method, path, body, {"Content-Type": "application/json"} if body else {})


def answered(connection: HTTPConnection, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Send one request and read what comes back."""
    try:
        connection.request(method, path, body or None, dict(headers))
        came = connection.getresponse()
        return Answer(came.status, b"" if came.status == 101 else came.read(), {name.lower(): value for name, value in came.getheaders()})
    finally:
        connection.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def unit_command(name: str, changed: Mapping[str, str]) -> list[str]:
    """The command of a unit, with its places moved."""
    text = (DEPLOY / "systemd" / name).read_text(encoding="utf-8")
    (command,) = re.findall(r"^ExecStart=(.+)$", text, re.MULTILINE)
    for old, new in changed.items():
        assert old in command, f"{name} no longer says {old}"
        command = command.replace(old, new)
    return shlex.split(command)


@contextmanager
def running(command: list[str], environment: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process and whatever it starts, until the test is over."""
    with log.open("wb") as sink:
        process = subprocess.Popen(command, cwd=ROOT, env=dict(environment), stdout=sink, stderr=sink, preexec_fn=_in_a_group)
        try:
            yield process
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(30)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _in_a_group() -> None:
    """So that it and whatever it starts can be ended together, and an interrupt is not ignored."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def wait_for_socket(process: subprocess.Popen[bytes], path: Path, log: Path) -> None:
    """Until the code has been loaded, so that the webservers find it."""
    end = time.monotonic() + SECONDS
    while not path.exists():
        assert process.poll() is None and time.monotonic() < end, log.read_text(errors="replace")[-2000:]
        time.sleep(0.1)


def wait_for(process: subprocess.Popen[bytes], port: int, path: str, log: Path) -> None:
    """Until a webserver answers."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            if answered(HTTPConnection("127.0.0.1", port, timeout=5), "GET", path, b"", {}).status == 200:
                return
        except (OSError, HTTPException):
            time.sleep(0.2)
    raise AssertionError(f"no answer on port {port}: {log.read_text(errors='replace')[-2000:]}")


def write_certificate(folder: Path) -> None:
    """A certificate of the test's own."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key, name, now = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)]), datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    made = made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    (folder / "certificate.pem").write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "certificate.key").write_bytes(key.private_bytes(serialization.Encoding.PEM, *plain))


def write_nginx(folder: Path, ports: Mapping[str, int]) -> Path:
    """The shipped configuration, with its ports and files moved; returns the file that includes it."""
    (folder / "people.htpasswd").write_text("".join(f"{name}:{{PLAIN}}{PASSWORD}\n" for name in (ANALYST, READER)), encoding="utf-8")
    write_certificate(folder)
    moved = {"/etc/nginx/fuller/": f"{folder}/", "/var/log/nginx/": f"{folder}/", "listen 443": f"listen 127.0.0.1:{ports['door']}"}
    moved |= {"127.0.0.1:3333": f"127.0.0.1:{ports['writable']}", "127.0.0.1:3334": f"127.0.0.1:{ports['readonly']}"}
    for name in ("fuller.conf", "analysts.map", "certificate.conf"):
        text = (DEPLOY / "nginx" / name).read_text(encoding="utf-8")
        for old, new in moved.items():
            text = text.replace(old, new)
        (folder / name).write_text(text, encoding="utf-8")
    kept = "\n".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    as_me = "user root;\n" if os.geteuid() == 0 else ""
    around = f"daemon off;\npid {folder}/nginx.pid;\nerror_log {folder}/nginx_error.log;\nevents {{}}\n"
    main = f"{as_me}{around}http {{\n{kept}\ninclude {folder}/fuller.conf;\n}}\n"
    (folder / "nginx.conf").write_text(main, encoding="utf-8")
    return folder / "nginx.conf"


def write_services(folder: Path) -> dict[str, str]:
    """Site, instance and workspace as deploy/ ships them, with their places moved; returns the environment of the units."""
    (folder / "site.toml").write_text("[folders]\n" + "\n".join(f'{name} = "{folder / "srv" / name}"' for name in FOLDERS) + "\n", encoding="utf-8")
    for name in ("dagster.yaml", "workspace.yaml"):
        text = (DEPLOY / name).read_text(encoding="utf-8")
        (folder / name).write_text(text.replace("/srv/fuller", f"{folder}/srv").replace("/run/fuller", str(folder)), encoding="utf-8")
    ours = {"FULLER_SITE": str(folder / "site.toml"), "DAGSTER_HOME": str(folder), "HOME": str(folder), "DAGSTER_REDACT_USER_CODE_ERRORS": "1"}
    return {**os.environ, **ours}


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """The code, both webservers and nginx, as the units start them."""
    if NGINX is None:
        pytest.skip("no nginx here, so deploy/nginx cannot be attacked (Debian: apt-get install nginx-light)")
    # A socket's path may have no more than about a hundred letters.
    folder = Path(tmp_path_factory.mktemp("s", numbered=True))
    ports = {name: free_port() for name in ("writable", "readonly", "door")}
    environment, told = write_services(folder), write_nginx(folder, ports)
    venv, workspace = {"/opt/fuller/.venv": str(ROOT / ".venv")}, {"/etc/fuller/workspace.yaml": str(folder / "workspace.yaml")}
    commands = {
        "code": unit_command("fuller-code.service", {**venv, "/run/fuller/code.sock": str(folder / "code.sock")}),
        "writable": unit_command("fuller-webserver.service", {**venv, **workspace, "3333": str(ports["writable"])}),
        "readonly": unit_command("fuller-webserver-readonly.service", {**venv, **workspace, "3334": str(ports["readonly"])}),
        "nginx": [NGINX, "-c", str(told)],
    }
    with dg.DagsterInstance.from_config(str(folder)):
        pass  # its tables, as `dagster instance migrate` makes them: two processes that make them at once stumble over each other
    with ExitStack() as stack:
        started: dict[str, subprocess.Popen[bytes]] = {}
        for name, command in commands.items():
            started[name] = stack.enter_context(running(command, environment, folder / f"{name}.log"))
            if name == "code":
                wait_for_socket(started[name], folder / "code.sock", folder / "code.log")
        for name in ("writable", "readonly"):
            wait_for(started[name], ports[name], "/server_info", folder / f"{name}.log")
        stack.callback(lambda: [process.terminate() for process in started.values()])
        yield Installation(folder, **ports)
