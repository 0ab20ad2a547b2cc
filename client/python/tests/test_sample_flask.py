"""The Flask sample: two users at once, and a readable page for whatever goes wrong, never a traceback or a token."""

from urllib.parse import parse_qs, urlsplit

import pytest
import sample_flask

from graph_stand_in import CLAIMS


@pytest.fixture
def web(site, site_graph):
    return sample_flask.create_app(site, site_graph.base)


def connect(stage, browser, user, page="/login"):
    """Goes to the provider and back; returns the answer of the redirect URI."""
    url = browser.get(page).location
    return browser.get(path(stage("sign_in_until", url=url, user=user)))


def path(url):
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def test_two_users_see_their_own_profile_and_sign_out(stage, web, site, site_graph):
    ada, bob = web.test_client(), web.test_client()
    assert "Connect" in ada.get("/").text and ada.get("/graphcall").location == "/login"
    for browser, user in ((ada, "ada"), (bob, "bob")):
        assert connect(stage, browser, user).location == "/graphcall"
    for browser, user, other in ((ada, "ada", "bob"), (bob, "bob", "ada"), (ada, "ada", "bob")):
        page = browser.get("/graphcall")
        assert page.status_code == 200 and page.headers["Cache-Control"] == "no-store"
        assert "Authenticated with Flask" in page.text and user in page.text and other not in page.text
        assert f"{site_graph.base}/me" in page.text
    assert ada.get("/logout").status_code == 405
    assert ada.post("/logout").location == "/" and "Connect" in ada.get("/").text
    assert [account.username for account in site.get_accounts()] == ["bob"]
    assert bob.get("/graphcall").status_code == 200 and ada.post("/logout").location == "/"


def test_the_session_holds_no_secret(stage, web):
    browser = web.test_client()
    url = browser.get("/login").location
    with browser.session_transaction() as session:
        assert dict(session) == {"flow": {"state": parse_qs(urlsplit(url).query)["state"][0]}}
    browser.get(path(stage("sign_in_until", url=url, user="ada")))
    page = browser.get("/graphcall")
    with browser.session_transaction() as session:
        assert session.keys() == {"account"}
        kept = str(dict(session))
    cookie = browser.get_cookie("session")
    assert cookie.http_only and cookie.same_site == "Lax"
    assert not [secret for secret in stage("secrets") if secret in page.text + kept + cookie.value]


def test_another_browsers_answer_and_a_code_used_twice(stage, web, site_graph):
    ada, mallory = web.test_client(), web.test_client()
    back = path(stage("sign_in_until", url=ada.get("/login").location, user="ada"))
    mallory.get("/login")
    for browser, answer in ((mallory, back), (web.test_client(), back), (mallory, "/login/authorized")):
        page = browser.get(answer)
        assert page.status_code == 400 and "Please sign in again" in page.text
    assert ada.get(back).location == "/graphcall"
    assert ada.get(back).status_code == 400
    assert ada.get("/graphcall").status_code == 200 and mallory.get("/graphcall").location == "/login"


def test_consent_declined(stage, web):
    browser = web.test_client()
    page = browser.get(path(stage("decline_until", url=browser.get("/login").location)))
    assert page.status_code == 403 and "You declined" in page.text


def test_a_challenge_leads_to_a_sign_in_with_its_claims_once(stage, web, site_graph):
    browser = web.test_client()
    connect(stage, browser, "ada")
    for answer in (302, 403):
        site_graph.challenge_next()
        stage.fail_token(400, "interaction_required", claims=CLAIMS)
        page = browser.get("/graphcall")
        assert page.status_code == answer
        if answer == 302:
            assert parse_qs(urlsplit(page.location).query)["claims"] == [CLAIMS]
            browser.get(path(stage("sign_in_until", url=page.location, user="ada")))
    assert "Please sign in again" in page.text
    connect(stage, browser, "ada")
    assert browser.get("/graphcall").status_code == 200


def test_an_account_that_is_signed_out_elsewhere(stage, web, site):
    browser, other = web.test_client(), web.test_client()
    connect(stage, browser, "ada")
    connect(stage, other, "bob")
    site.remove_account("ada")
    assert browser.get("/graphcall").location == "/login" and other.get("/graphcall").status_code == 200


def test_graphs_refusals_and_a_daemon_that_is_away(stage, web, site_graph):
    browser = web.test_client()
    connect(stage, browser, "ada")
    for status, code, shown in ((403, "Authorization_RequestDenied", 403), (429, "<script>", 429), (500, "x", 502)):
        site_graph.fail_next(status, code)
        page = browser.get("/graphcall")
        assert page.status_code == shown and f"Microsoft Graph: {status}" in page.text and "<script>" not in page.text
    assert stage("stop")
    for place in ("/graphcall", "/login"):
        page = browser.get(place)
        assert page.status_code == 503 and "not available" in page.text and stage.socket not in page.text
    stage("start")
    assert browser.get("/graphcall").status_code == 200
