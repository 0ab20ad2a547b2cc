"""Sign-in through a web application: what it keeps in the user's session, and what it refuses before the daemon is asked."""

from urllib.parse import parse_qs, urlsplit

import pytest

import token_broker
from conftest import REDIRECT


def test_the_session_holds_the_state_and_nothing_else(stage, site):
    flow = site.initiate_auth_code_flow(["User.Read"], REDIRECT, prompt="login")
    asked = parse_qs(urlsplit(flow.auth_uri).query)
    assert asked["prompt"] == ["login"] and asked["code_challenge_method"] == ["S256"] and "nonce" in asked
    session = flow.session
    assert session == {"state": asked["state"][0]}
    query = urlsplit(stage("sign_in_until", url=flow.auth_uri, user="ada")).query
    token = site.acquire_token_by_auth_code_flow(session, query, ["User.Read"])
    assert token.account.username == "ada" and stage("is_active", token=token.access_token)
    with pytest.raises(token_broker.BrokerError):
        site.acquire_token_by_auth_code_flow(session, query)


def test_another_sessions_answer_is_refused_and_its_owner_is_not_harmed(stage, site):
    flow = site.initiate_auth_code_flow(None, REDIRECT)
    query = urlsplit(stage("sign_in_until", url=flow.auth_uri, user="ada")).query
    other = site.initiate_auth_code_flow(None, REDIRECT)
    for session in (other.session, {}, {"state": ""}):
        with pytest.raises(token_broker.StateMismatch):
            site.acquire_token_by_auth_code_flow(session, query)
    for answer in ("", "code=x", query + "&state=again", {"state": "é"}):
        with pytest.raises(token_broker.StateMismatch):
            site.acquire_token_by_auth_code_flow(flow.session, answer)
    parameters = {name: values[0] for name, values in parse_qs(query).items()}
    assert site.acquire_token_by_auth_code_flow(flow, parameters).account.username == "ada"


def test_consent_declined(stage, site):
    flow = site.initiate_auth_code_flow(None, REDIRECT)
    query = urlsplit(stage("decline_until", url=flow.auth_uri)).query
    with pytest.raises(token_broker.Declined):
        site.acquire_token_by_auth_code_flow(flow.session, query)


def test_an_unknown_response_mode_is_refused(site):
    with pytest.raises(ValueError, match="response_mode"):
        site.initiate_auth_code_flow(None, REDIRECT, response_mode="fragment")
