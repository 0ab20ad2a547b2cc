"""Tokens: silently, for the application itself, again after a restart of the daemon, and why there is none."""

import pickle

import pytest

import token_broker
from token_broker import exchanges


def test_a_hit_is_served_from_the_cache_and_a_forced_one_is_not(stage, mail, ada):
    token = mail.acquire_token_silent(["api:read"], ada)
    assert stage("is_active", token=token.access_token)
    assert (token.token_type, token.source, token.account) == ("Bearer", token_broker.TokenOrigin.CACHE, ada)
    assert "api:read" in token.scopes and token.id_token is None and len(token.correlation_id) == 36
    assert mail.acquire_token_silent("api:read profile").access_token == token.access_token
    fresh = mail.acquire_token_silent(["api:read"], "ada", force_refresh=True)
    assert (fresh.source, fresh.access_token != token.access_token) == ("identity_provider", True)
    id_token = mail.acquire_token_silent(None, include_id_token=True).id_token
    assert id_token is not None and id_token.startswith("eyJ")


def test_accounts_are_listed_and_forgotten(mail, ada):
    assert mail.get_accounts() == mail.get_accounts("ADA") == [ada]
    assert mail.get_accounts("bob") == []
    assert (ada.username, ada.application) == ("ada", "mail")
    gone = mail.remove_account(ada, revoke=True)
    assert (gone.account, gone.revocation) == (ada, "accepted")
    assert mail.remove_account().account is None
    with pytest.raises(token_broker.InteractionRequired) as caught:
        mail.acquire_token_silent(["api:read"])
    assert (caught.value.reason, caught.value.failure.advice) == ("INTERACTION_REQUIRED", "broker-cli login mail")


def test_an_application_gets_a_token_of_its_own(stage, open_application):
    token = open_application("job").acquire_token_for_client(["api:read"])
    assert token.account is None and stage("is_active", token=token.access_token)


def test_a_session_whose_key_the_daemon_makes_is_not_begun_twice():
    for assertion, key, harmless in (("t", None, True), ("t", "k", True), (None, "k", True), ("t", "", False)):
        request = exchanges.token_request("job", ["mail:read"], user_assertion=assertion, session_key=key)
        assert exchanges.token(request).harmless is harmless


def test_what_is_bound_to_a_key_is_of_microsoft(mail, ada):
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f ada@laptop"
    for ask in (
        lambda: mail.acquire_ssh_certificate(None, key),
        lambda: mail.sign_http_request("GET", "https://api.example/", nonce="n"),
    ):
        with pytest.raises(token_broker.Unsupported, match="Microsoft Entra ID"):
            ask()
    for field, ask in (
        ("public_key", lambda: mail.acquire_ssh_certificate(None, "-----BEGIN OPENSSH PRIVATE KEY-----\ns3cret")),
        ("url", lambda: mail.sign_http_request("GET", "https:///v1")),
        ("method", lambda: mail.sign_http_request("GET /", "https://api.example/")),
    ):
        with pytest.raises(token_broker.InvalidRequest) as caught:
            ask()
        assert caught.value.failure.field == field and "s3cret" not in str(caught.value)


def test_nothing_secret_is_in_a_repr(mail, ada):
    token = mail.acquire_token_silent(None, include_id_token=True)
    for text in (repr(token), str(token), f"{[token]}"):
        assert token.access_token not in text and token.id_token not in text
    flow = token_broker.AuthCodeFlow("https://provider/?state=s3cret", "s3cret", 1)
    assert "s3cret" not in repr(flow) and flow.session == {"state": "s3cret"}
    code = token_broker.UserCode("https://provider/device", "https://provider/device?c=ABCD", "ABCD", 1)
    assert "ABCD" not in repr(code) and "ABCD" in code.message


def test_two_users_have_to_be_told_apart(stage, mail, ada):
    mail.acquire_token_interactive(None, on_open_url=lambda url: stage("sign_in", url=url, user="bob"))
    with pytest.raises(token_broker.AccountAmbiguous) as caught:
        mail.acquire_token_silent(None)
    assert {account.username for account in caught.value.failure.candidates} == {"ada", "bob"}
    assert mail.acquire_token_silent(None, ada).account == ada


def test_what_the_provider_says_comes_through(stage, mail, ada):
    claims = '{"access_token":{"acrs":{"value":"c1"}}}'
    stage.fail_token(400, "interaction_required", suberror="basic_action", error_codes=[50076], claims=claims)
    with pytest.raises(token_broker.InteractionRequired) as caught:
        mail.acquire_token_silent(None, ada, force_refresh=True)
    assert caught.value.claims == claims
    provider = caught.value.failure.provider
    assert (provider.error, provider.suberror, provider.error_codes) == ("interaction_required", "basic_action", (50076,))
    mail.acquire_token_interactive(None, on_open_url=lambda url: stage("sign_in", url=url), claims_challenge=claims)
    stage.fail_token(503, "temporarily_unavailable", retry_after="30")
    with pytest.raises(token_broker.AuthorityUnavailable) as outage:
        mail.acquire_token_silent(None, ada, force_refresh=True)
    assert outage.value.failure.retry_after == 30
    copy = pickle.loads(pickle.dumps(outage.value))
    assert (type(copy), copy.failure) == (token_broker.AuthorityUnavailable, outage.value.failure)


def test_bad_input_is_named(mail, open_application):
    with pytest.raises(token_broker.InvalidRequest) as caught:
        mail.acquire_token_silent(['a"b'])
    assert caught.value.failure.field == "scopes"
    with pytest.raises(token_broker.ApplicationNotFound):
        token_broker.Application("nobody", mail._door._threshold.path).acquire_token_silent(None)
    with pytest.raises(token_broker.InvalidRequest):
        mail.acquire_token_silent(None, claims_challenge="not json")


def test_a_restart_of_the_daemon_goes_unnoticed(stage, mail, ada):
    before = mail.acquire_token_silent(None, ada)
    assert stage("stop")
    with pytest.raises(token_broker.NoDaemon) as caught:
        mail.acquire_token_silent(None, ada)
    assert str(stage.socket) in str(caught.value) and caught.value.__cause__ is None
    stage("start")
    assert mail.acquire_token_silent(None, ada).access_token == before.access_token


def test_a_service_acts_on_behalf_of_its_caller(stage, mail, ada, open_application):
    job = open_application("job")
    assertion = mail.acquire_token_silent(["api:read"], ada).access_token
    token = job.acquire_token_on_behalf_of(assertion, ["mail:read"], audience="files")
    assert stage("is_active", token=token.access_token) and token.source == "identity_provider"
    assert (token.scopes, token.account, token.session_key) == (("mail:read",), None, None)
    again = job.acquire_token_on_behalf_of(assertion, ["mail:read"], audience="files")
    assert (again.source, again.access_token) == ("cache", token.access_token)
    assert job.acquire_token_on_behalf_of(assertion, ["mail:read"], audience="mail").access_token != token.access_token
    assert job.get_accounts() == []
    with pytest.raises(token_broker.InvalidRequest) as caught:
        mail.acquire_token_on_behalf_of(assertion, ["mail:read"])
    assert caught.value.failure.field == "on_behalf_of" and assertion not in str(caught.value)
    with pytest.raises(token_broker.InvalidRequest) as caught:
        job.acquire_token_on_behalf_of(None, ["mail:read"], session_key="nightly")
    assert caught.value.failure.field == "session_key"
