"""Encrypted webhooks: the connection goes to a checked address, the certificate is checked against the host."""

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from erp_forecast_addon.services import webhook
from erp_forecast_addon.services.dispatch_address import allowed_hosts
from erp_forecast_addon.tests.supplier_server import SECRET, SupplierServer

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificates of these tests")


def certificate(folder: Path, host: str) -> tuple[Path, Path]:
    """A self-signed certificate for a host name, and its key."""
    made, key = folder / f"{host}.pem", folder / f"{host}.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={host}",
         "-addext", f"subjectAltName=DNS:{host}", "-keyout", str(key), "-out", str(made)],
        check=True, capture_output=True,
    )  # fmt: skip
    return made, key


def post(server: SupplierServer, trusted: Path | None, monkeypatch: pytest.MonkeyPatch) -> webhook.Answer:
    if trusted is not None:
        monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(trusted))
    host = f"localhost:{server.port}"
    return webhook.post(f"https://{host}/orders", b"{}", "key", SECRET, allowed_hosts(host))


def encrypted(server: SupplierServer, made: Path, key: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made, key)
    server._http.socket = context.wrap_socket(server._http.socket, server_side=True)


@pytest.mark.parametrize(
    ("issued_to", "is_trusted", "outcome"),
    [("localhost", True, "received"), ("localhost", False, "retry"), ("other.example", True, "retry")],
)
def test_only_the_host_with_its_own_trusted_certificate_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, issued_to: str, is_trusted: bool, outcome: str
) -> None:
    made, key = certificate(tmp_path, issued_to)
    server = SupplierServer()
    encrypted(server, made, key)
    with server:
        answer = post(server, made if is_trusted else None, monkeypatch)
    assert answer.outcome == outcome, answer.text
    assert len(server.received) == (1 if outcome == "received" else 0)
    if outcome == "received":
        assert server.received[0].headers["Host"] == f"localhost:{server.port}"
    else:
        assert not answer.may_have_arrived
        assert "certificate" in answer.text.lower() or "match" in answer.text.lower()
