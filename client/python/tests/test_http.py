"""Requests with a token: requests, httpx, the Azure SDK's pipeline and GraphSession, and claims challenges for each."""

import asyncio
import io

import azure.core.exceptions
import httpx
import pytest
import requests
from azure.core import AsyncPipelineClient, PipelineClient
from azure.core.pipeline.policies import AsyncBearerTokenCredentialPolicy, BearerTokenCredentialPolicy
from azure.core.pipeline.transport import AsyncioRequestsTransport
from azure.core.rest import HttpRequest

import token_broker
from conftest import CLAIMS, MESSAGES, Graph
from token_broker import aio, challenge, httpx_auth, requests_auth
from token_broker.azure import AsyncBrokerCredential, BrokerCredential
from token_broker.graph import GraphError, GraphSession


def answered_by_a_new_token(graph):
    """What was asked twice was asked with two tokens."""
    return len(graph.tokens) == len(set(graph.tokens)) == 2


def test_requests_answers_a_challenge_once(graph, mail, ada):
    auth = requests_auth.BrokerAuth(mail, ["User.Read"], ada)
    graph.challenge_next()
    answer = requests.post(f"{graph.base}/me", data=io.BytesIO(b'{"a":1}'), auth=auth, timeout=30)
    assert answer.json() == {"method": "POST", "body": {"a": 1}} and answered_by_a_new_token(graph)
    graph.challenge_next()
    graph.challenge_next()
    assert requests.get(f"{graph.base}/me", auth=auth, timeout=30).status_code == 401
    assert len(graph.tokens) == 4


def test_a_challenge_that_needs_the_user_says_with_which_claims(graph, stage, mail, ada):
    graph.challenge_next()
    stage.fail_token(400, "interaction_required", claims=CLAIMS)
    with pytest.raises(token_broker.InteractionRequired) as caught:
        requests.get(f"{graph.base}/me", auth=requests_auth.BrokerAuth(mail, "User.Read", ada), timeout=30)
    assert caught.value.claims == CLAIMS


def test_a_redirect_does_not_take_the_token_elsewhere(graph, stage, mail, ada):
    other = Graph(stage, 1)
    graph.answer_next(302, {}, Location=f"{other.base}/me")
    other.challenge_next()
    answer = requests.get(f"{graph.base}/me", auth=requests_auth.BrokerAuth(mail, None, ada), timeout=30)
    assert answer.status_code == 401 and other.tokens == [None]


def test_no_token_goes_over_the_network_in_the_clear(mail, ada):
    for url in ("http://graph.example/me", "http://localhost.example/", "ftp://localhost/"):
        with pytest.raises(ValueError, match="https"):
            challenge.require_safe(url)
    with pytest.raises(ValueError, match="https"):
        requests.get("http://192.0.2.1/me", auth=requests_auth.BrokerAuth(mail, None, ada), timeout=1)
    with pytest.raises(ValueError, match="https"):
        httpx.get("http://192.0.2.1/me", auth=httpx_auth.BrokerAuth(mail, None, ada), timeout=1)
    for url in ("https://graph.example/", "http://localhost:1/", "http://127.0.0.1/", "http://[::1]:80/"):
        challenge.require_safe(url)


def test_httpx_answers_a_challenge_once(graph, mail, ada):
    graph.challenge_next()
    with httpx.Client(auth=httpx_auth.BrokerAuth(mail, ["User.Read"], ada)) as client:
        assert client.put(f"{graph.base}/me", json=[1]).json() == {"method": "PUT", "body": [1]}
    assert answered_by_a_new_token(graph)


def test_httpx_answers_a_challenge_once_async(graph, stage, ada):
    async def ask():
        async with aio.Application("mail", stage.socket) as mail:
            async with httpx.AsyncClient(auth=httpx_auth.AsyncBrokerAuth(mail, ["User.Read"], ada)) as client:
                return (await client.get(f"{graph.base}/me")).json()

    graph.challenge_next()
    assert asyncio.run(ask())["displayName"] == "Test user ada" and answered_by_a_new_token(graph)


def test_the_azure_pipeline_answers_a_challenge(graph, mail, ada):
    policy = BearerTokenCredentialPolicy(BrokerCredential(mail, ada), "User.Read")
    graph.challenge_next()
    with PipelineClient(graph.base, policies=[policy]) as client:
        answer = client.send_request(HttpRequest("GET", f"{graph.base}/me"), enforce_https=False)
    assert answer.json()["displayName"] == "Test user ada" and answered_by_a_new_token(graph)


def test_the_azure_pipeline_answers_a_challenge_async(graph, stage, ada):
    async def ask():
        async with aio.Application("mail", stage.socket) as mail:
            policy = AsyncBearerTokenCredentialPolicy(AsyncBrokerCredential(mail, ada), "User.Read")
            transport = AsyncioRequestsTransport()
            async with AsyncPipelineClient(graph.base, policies=[policy], transport=transport) as client:
                answer = await client.send_request(HttpRequest("GET", f"{graph.base}/me"), enforce_https=False)
                return answer.json()

    graph.challenge_next()
    assert asyncio.run(ask())["displayName"] == "Test user ada" and answered_by_a_new_token(graph)


def test_azure_credentials_pass_on_what_they_are_told(stage, mail, ada, open_application):
    credential = BrokerCredential(mail, ada)
    first = credential.get_token("User.Read")
    info = credential.get_token_info("User.Read", options={"claims": CLAIMS})
    assert info.token != first.token and info.token_type == "Bearer" and first.token not in repr(credential)
    assert credential.get_token("User.Read").token == info.token
    own = BrokerCredential(open_application("job"), app_only=True).get_token("api:read")
    assert stage("is_active", token=own.token)
    with pytest.raises(azure.core.exceptions.ClientAuthenticationError) as caught:
        BrokerCredential(mail, "nobody").get_token("User.Read")
    assert isinstance(caught.value.__cause__, token_broker.AccountNotFound)
    with pytest.raises(azure.core.exceptions.ClientAuthenticationError) as tenant:
        credential.get_token("User.Read", tenant_id="contoso.example")
    assert isinstance(tenant.value.__cause__, token_broker.Refused)


def test_graph_is_read_and_written(graph, mail, ada):
    with GraphSession(mail, ["User.Read"], ada, base=graph.base) as session:
        assert session.get("me").json() == session.get("/me").json()
        assert session.get("me").json()["displayName"] == "Test user ada"
        for method in ("post", "patch", "put"):
            answer = getattr(session, method)("me/events", json={"a": 1}).json()
            assert answer == {"method": method.upper(), "body": {"a": 1}}
        assert session.delete("me/events/1").status_code == 204
    with GraphSession(mail, ["Mail.Read"], ada, base=graph.base) as session:
        assert [message["subject"] for message in session.items("me/messages")] == [*MESSAGES, None]


def test_a_path_with_an_address_in_its_query_is_a_path(graph, mail):
    with GraphSession(mail, base=graph.base) as session:
        path = "me/messages?$filter=webLink eq 'https://outlook.example/1'"
        assert session.api_endpoint(path) == f"{graph.base}/{path}"
        assert session.api_endpoint(f"{graph.base}/me") == f"{graph.base}/me"
        with pytest.raises(ValueError, match="no token is sent"):
            session.api_endpoint("https://outlook.example/1")


def test_a_next_page_elsewhere_is_not_followed(graph, mail, ada):
    with GraphSession(mail, None, ada, base=graph.base) as session, pytest.raises(ValueError, match="no token is sent"):
        list(session.items("elsewhere"))
    with pytest.raises(ValueError, match="https"):
        GraphSession(mail, base="http://graph.example")


def test_graphs_failures_are_typed(graph, mail, ada):
    with GraphSession(mail, None, ada, base=graph.base) as session:
        graph.fail_next(429, "TooManyRequests", Retry_After="7")
        with pytest.raises(GraphError) as caught:
            session.get("me")
        assert (caught.value.status, caught.value.retry_after) == (429, 7)
        graph.fail_next(403, "Authorization_RequestDenied")
        with pytest.raises(GraphError, match="403 Authorization_RequestDenied: planned by a test"):
            session.get("me")
        graph.answer_next(500, ["not an error"])
        with pytest.raises(GraphError, match="500"):
            session.get("me")


@pytest.mark.parametrize(
    "header",
    [
        None,
        "Basic realm=x",
        'Bearer error="insufficient_claims"',
        'Bearer error="insufficient_claims", claims="!"',
        'Bearer error="insufficient_claims", claims="/w=="',
        'Bearer error="invalid_token", claims="e30="',
    ],
)
def test_what_is_no_challenge(header):
    assert challenge.claims_of(header) is None


def test_a_challenge_in_either_alphabet():
    for packed in ("e30", "e30=", "eyJhIjoiw78_In0", "eyJhIjoiw78/In0="):
        assert challenge.claims_of(f'Bearer error="insufficient_claims", claims="{packed}"') in ("{}", '{"a":"ÿ?"}')
