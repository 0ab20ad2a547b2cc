"""The five samples, and the one in Rust, by the same visits: two users at once, messages after incremental consent, and a readable page for whatever goes
wrong, never a traceback or a token.
"""

import contextlib
import importlib
import os
import pathlib
import socket
import subprocess
import sys
import types
from urllib.parse import parse_qs, urlsplit

import config
import pytest
import requests
from werkzeug.test import Client

from conftest import CLAIMS, MESSAGES
from shared import graph_call

SAMPLES = ["sample_direct", "sample_direct_bottle", "sample_flask", "sample_requests", "sample_graph_session"]


#: The program client/examples/graph_sample.
RUST = "graph_sample in Rust"


@pytest.fixture(params=[*SAMPLES, RUST])
def web(request, stage, site, graph, tmp_path, monkeypatch):
    """A sample; a call opens a browser."""
    if request.param == RUST:
        with running(RUST, stage, graph, tmp_path) as (_, address), contextlib.ExitStack() as browsers:
            yield lambda: browsers.enter_context(Browser(address))
    else:
        monkeypatch.setattr(config, "GRAPH", graph.base)
        application = importlib.import_module(request.param).create_app(site)
        yield lambda: Client(application)


@contextlib.contextmanager
def running(sample, stage, graph, folder):
    """The sample as its users start it, but in an empty folder; the process and its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"http://localhost:{probe.getsockname()[1]}"
    file = pathlib.Path(config.__file__).with_name(f"{sample}.py")
    command = [os.environ["TOKEN_BROKER_TEST_RUST_SAMPLE"]] if sample == RUST else [sys.executable, file]
    environment = {
        "PYTHONPATH": ":".join(sys.path),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": str(folder),
        "TOKEN_BROKER_SOCKET": stage.socket,
        "APPLICATION": "site",
        "GRAPH": graph.base,
        "REDIRECT_URI": f"{address}/login/authorized",
    }
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, env=environment, cwd=folder, **pipes)
    try:
        assert process.stdout.readline() == f"Open {address}\n"
        yield process, address
    finally:
        process.kill()
        process.communicate()


class Browser(requests.Session):
    """One over the network, with the words of werkzeug's."""

    def __init__(self, address):
        super().__init__()
        self.address = address

    def request(self, method, place, **options):
        answer = super().request(method, self.address + place, **{**options, "allow_redirects": False, "timeout": 30})
        answer.location = answer.headers.get("Location")
        return answer

    def get_cookie(self, name):
        (cookie,) = [cookie for cookie in self.cookies if cookie.name == name]
        facts = {key.lower(): value for key, value in cookie._rest.items()}
        return types.SimpleNamespace(
            value=cookie.value, http_only="httponly" in facts, same_site=facts["samesite"], path=cookie.path
        )

    def set_cookie(self, name, value):
        self.cookies.clear()
        self.cookies.set(name, value)


def connect(stage, browser, user, page="/login"):
    """Goes to the provider and back; returns the answer of the redirect URI."""
    url = browser.get(page).location
    return browser.get(path(stage("sign_in_until", url=url, user=user)))


def path(url):
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def asked_of(answer):
    """What a redirect asks the provider for."""
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.location).query).items()}


def test_two_users_see_their_own_profile_and_sign_out(stage, web, site, graph):
    ada, bob = web(), web()
    assert "Connect" in ada.get("/").text and "/authorize?" in ada.get("/graphcall").location
    for browser, user in ((ada, "ada"), (bob, "bob")):
        assert connect(stage, browser, user).location == "/graphcall"
    for browser, user, other in ((ada, "ada", "bob"), (bob, "bob", "ada"), (ada, "ada", "bob")):
        page = browser.get("/graphcall")
        assert page.status_code == 200 and page.headers["Cache-Control"] == "no-store"
        assert "Authenticated with " in page.text and f"Test user {user}" in page.text and f"Test user {other}" not in page.text
        assert f"{graph.base}/me" in page.text and f"signed in as <b>{user}</b>" in browser.get("/").text
    assert ada.get("/logout").status_code == 405
    assert ada.post("/logout").location == "/" and "Connect" in ada.get("/").text
    assert [account.username for account in site.get_accounts()] == ["bob"]
    assert bob.get("/graphcall").status_code == 200 and ada.post("/logout").location == "/"


def test_messages_are_shown_once_the_user_lets_us_read_them(stage, web):
    browser = web()
    connect(stage, browser, "ada")
    away = browser.get("/messages")
    asked = asked_of(away)
    assert "Mail.Read" in asked["scope"] and "User.Read" in asked["scope"] and asked["login_hint"] == "ada"
    assert browser.get(path(stage("decline_until", url=away.location))).status_code == 403
    assert browser.get("/graphcall").status_code == 200, "she is signed in all the same"
    assert connect(stage, browser, "ada", "/messages").location == "/messages"
    page = browser.get("/messages")
    assert page.status_code == 200 and all(subject in page.text for subject in MESSAGES)
    assert page.text.count("<li>") == len(MESSAGES) + 1 and "2026-11-01" in page.text and "None" not in page.text
    assert browser.get("/messages").status_code == browser.get("/graphcall").status_code == 200


def test_the_browser_holds_no_secret(stage, web):
    browser = web()
    url = browser.get("/login").location
    browser.get(path(stage("sign_in_until", url=url, user="ada")))
    page = browser.get("/graphcall")
    cookie = browser.get_cookie("session")
    assert cookie.http_only and cookie.same_site.lower() == "lax" and cookie.path == "/"
    assert "style-src 'self'" in page.headers["Content-Security-Policy"]
    assert not [secret for secret in stage("secrets") if secret in page.text + cookie.value]


def test_no_token_goes_to_graph_in_the_clear(stage, site):
    with pytest.raises(ValueError, match="https"):
        graph_call.read(site, ["User.Read"], "nobody", "http://graph.example/v1.0/me")
    environment = {"TOKEN_BROKER_SOCKET": stage.socket, "GRAPH": "http://graph.example/v1.0"}
    command = [os.environ["TOKEN_BROKER_TEST_RUST_SAMPLE"]]
    rust = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30)
    assert rust.returncode == 1 and "GRAPH" in rust.stderr and "https" in rust.stderr


def test_another_browsers_answer_and_a_code_used_twice(stage, web):
    ada, mallory = web(), web()
    back = path(stage("sign_in_until", url=ada.get("/login").location, user="ada"))
    mallory.get("/login")
    for browser, answer in ((mallory, back), (web(), back), (mallory, "/login/authorized")):
        page = browser.get(answer)
        assert page.status_code == 400 and "Please sign in again" in page.text
    assert ada.get(back).location == "/graphcall"
    assert ada.get(back).status_code == 400
    assert ada.get("/graphcall").status_code == 200 and "/authorize?" in mallory.get("/graphcall").location


def test_a_session_that_was_made_up(stage, web, site):
    browser, mallory = web(), web()
    connect(stage, browser, "ada")
    cookie = browser.get_cookie("session").value
    # In the middle: of the last character of a base64 text not every bit counts.
    at = len(cookie) // 2
    changed = cookie[:at] + ("A" if cookie[at] != "A" else "B") + cookie[at + 1 :]
    for made_up in (changed, "x", "e30.e30.e30", ""):
        mallory.set_cookie("session", made_up)
        assert "Connect" in mallory.get("/").text and mallory.get("/graphcall").status_code in (302, 303)


def test_consent_declined(stage, web):
    browser = web()
    page = browser.get(path(stage("decline_until", url=browser.get("/login").location)))
    assert page.status_code == 403 and "You declined" in page.text


def test_a_challenge_leads_to_a_sign_in_with_its_claims_once(stage, web, graph):
    browser = web()
    connect(stage, browser, "ada")
    for user_is_needed in (True, False):
        graph.challenge_next()
        stage.fail_token(400, "interaction_required", claims=CLAIMS)
        page = browser.get("/graphcall")
        if user_is_needed:
            assert asked_of(page)["claims"] == CLAIMS
            browser.get(path(stage("sign_in_until", url=page.location, user="ada")))
    assert page.status_code == 403 and "Please sign in again" in page.text
    connect(stage, browser, "ada")
    graph.challenge_next()
    assert browser.get("/graphcall").status_code == 200, "a refresh was enough"


def test_an_account_that_is_signed_out_elsewhere(stage, web, site):
    browser, other = web(), web()
    connect(stage, browser, "ada")
    connect(stage, other, "bob")
    site.remove_account("ada")
    assert "/authorize?" in browser.get("/graphcall").location and other.get("/graphcall").status_code == 200


def test_graphs_refusals_are_readable(stage, web, graph):
    browser = web()
    connect(stage, browser, "ada")
    for status, code, shown in ((403, "Authorization_RequestDenied", 403), (429, "<script>", 429), (500, "x", 502)):
        graph.fail_next(status, code, Retry_After="7")
        page = browser.get("/graphcall")
        assert page.status_code == shown and f"Microsoft Graph: {status}" in page.text and "<script>" not in page.text
        assert "try again in 7 seconds" in page.text
    graph.answer_next(200, None, Content_Encoding="gzip")
    assert browser.get("/graphcall").status_code == 502
    graph.answer_next(302, {}, Location=f"{graph.base}/elsewhere")
    assert "Traceback" not in browser.get("/graphcall").text
    missing = browser.get("/nothing")
    assert missing.status_code == 404 and "Not Found" in missing.text and "style-src" in str(missing.headers)


def test_a_daemon_that_is_away_or_locked(stage, web):
    browser = web()
    connect(stage, browser, "ada")
    assert stage("stop")
    for place in ("/graphcall", "/login"):
        page = browser.get(place)
        assert page.status_code == 503 and "not available" in page.text and stage.socket not in page.text
    stage("take_key")
    stage("start")
    for place in ("/graphcall", "/login"):
        assert browser.get(place).status_code == 503
    stage("stop")
    stage("give_key")
    stage("start")
    assert browser.get("/graphcall").status_code == 200
    stage.fail_token(503, "temporarily_unavailable", retry_after="30")
    back = path(stage("sign_in_until", url=browser.get("/login").location, user="ada"))
    page = browser.get(back)
    assert page.status_code == 503 and "cannot be reached" in page.text
