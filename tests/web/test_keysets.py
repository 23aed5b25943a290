"""How the keys that others publish are fetched: from where, how often, and how little it takes to hold nobody up."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from scim_server.web import keysets
from scim_server.web.keysets import MOST_SETS, PAUSE, STALE, KeySets, Unreachable, fetch, is_fetchable, public_keys
from tests.web.issuer import Issuer, issuing
from tests.web.oauth import Authority, pem


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with issuing() as started:
        yield started


@pytest.mark.parametrize(
    ("url", "is_good"),
    [
        ("https://idp.example/keys", True),
        ("https://10.1.2.3/keys", True),
        ("https://idp.example:8443/keys?x=1", True),
        ("http://127.0.0.1:80/keys", True),
        ("http://localhost/keys", True),
        ("http://[::1]/keys", True),
        ("http://idp.example/keys", False),
        ("http://169.254.169.254/latest/meta-data", False),
        ("https://169.254.169.254/latest/meta-data", False),
        ("https://[fe80::1]/keys", False),
        ("https://user:secret@idp.example/keys", False),
        ("https://idp.example/keys#x", False),
        ("https://idp.example/ke ys", False),
        ("https://idp.example/k\xe9ys", False),
        ("https:///keys", False),
        ("https://idp.example:99999/keys", False),
        ("https://idp.example:0/keys", False),
        ("file:///etc/passwd", False),
        ("ftp://idp.example/keys", False),
        ("data:application/json,{}", False),
        ("", False),
    ],
)
def test_keys_are_fetched_by_https_or_on_loopback_alone(url: str, is_good: bool) -> None:
    assert is_fetchable(url) is is_good
    if not is_good:
        with pytest.raises(Unreachable):
            fetch(url)


def test_answer_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keysets, "TIMEOUT", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        ended = threading.Event()

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
                for _ in range(200):
                    if ended.wait(0.1):
                        return
                    try:
                        connection.sendall(b" ")
                    except OSError:
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        begun = time.monotonic()
        with pytest.raises(Unreachable):
            fetch(f"http://127.0.0.1:{server.getsockname()[1]}/keys")
        assert time.monotonic() - begun < 10
        ended.set()
        thread.join()


def test_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path, issuer: Issuer) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    file = tmp_path / "server.pem"
    own = Authority("CN=localhost").issue("CN=localhost", key)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    file.write_text(private + pem(own))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    with issuing(context) as other, pytest.raises(Unreachable, match="certificate verify failed"):
        fetch(other.jwks_url.replace("http://127.0.0.1", "https://localhost"))
    assert other.asked == []


def test_nobody_at_the_address_is_told_as_that() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(Unreachable, match="refused"):
        fetch(f"http://127.0.0.1:{port}/keys")


def test_requests_that_come_at_once_fetch_once(issuer: Issuer) -> None:
    sets, found = KeySets(), []
    asked = len(issuer.asked)
    threads = [threading.Thread(target=lambda: found.append(len(sets.keys(issuer.jwks_url, "rsa")))) for _ in range(20)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert found == [1] * 20
    assert len(issuer.asked) == asked + 1


def test_who_has_keys_does_not_wait_for_who_fetches(issuer: Issuer) -> None:
    moment, slow, begun = [0.0], threading.Event(), threading.Event()
    documents = issuer.key_set()

    def fetching(url: str) -> Any:
        if moment[0]:
            begun.set()
            slow.wait(30)
        return documents

    sets = KeySets(fetching, lambda: moment[0])
    assert sets.keys("u", "rsa")
    moment[0] = keysets.FRESH
    other = threading.Thread(target=lambda: sets.keys("u", "rsa"))
    other.start()
    assert begun.wait(30)
    asked = time.monotonic()
    assert sets.keys("u", "rsa")  # while the other one waits
    assert time.monotonic() - asked < 5
    slow.set()
    other.join()


def test_key_that_is_new_is_waited_for_by_all_who_come_with_it(issuer: Issuer) -> None:
    moment, asked, found = [0.0], [], []

    def fetching(url: str) -> Any:
        asked.append(url)
        if moment[0]:
            time.sleep(0.3)
        listed = issuer.key_set()["keys"]
        return {"keys": listed if moment[0] else listed[:-1]}

    sets, newest = KeySets(fetching, lambda: moment[0]), list(issuer.keys)[-1]
    assert sets.keys("u", newest) == ()
    moment[0] = PAUSE
    threads = [threading.Thread(target=lambda: found.append(len(sets.keys("u", newest)))) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert found == [1] * 8
    assert len(asked) == 2


def test_keys_serve_while_the_issuer_is_down_and_no_longer(issuer: Issuer) -> None:
    moment, asked = [0.0], []

    def failing(url: str) -> Any:
        asked.append(moment[0])
        if moment[0]:
            raise Unreachable("down")
        return issuer.key_set()

    sets = KeySets(failing, lambda: moment[0])
    for moment[0] in (0.0, keysets.FRESH, keysets.FRESH + PAUSE - 1, STALE - 1.0):
        assert sets.keys("u", "rsa")
    assert asked == [0.0, keysets.FRESH, STALE - 1.0]
    moment[0] = STALE
    with pytest.raises(Unreachable):
        sets.keys("u", "rsa")
    assert len(asked) == 3


def test_no_more_addresses_are_kept_in_mind_than_fit(issuer: Issuer) -> None:
    sets = KeySets(lambda url: issuer.key_set())
    for number in range(MOST_SETS + 10):
        assert sets.keys(f"https://idp.example/{number}", "ec")
    assert len(sets._sets) <= MOST_SETS + 1


def test_keys_that_verify_no_signature_are_passed_over(issuer: Issuer) -> None:
    listed = issuer.key_set()["keys"]
    good = [one for one in listed if isinstance(one, dict) and one["kid"] in issuer.keys]
    encrypting = {**good[0], "use": "enc"}
    broken = {"kty": "EC", "crv": "P-256", "x": "!", "y": 1}
    assert [key.kid for key in public_keys({"keys": [encrypting, broken, {"kty": []}, *listed]})] == list(issuer.keys)
    for document in ({}, [], None, {"keys": {}}, "keys"):
        with pytest.raises(Unreachable, match="not a JSON Web Key Set"):
            public_keys(document)
