"""A followed token: pushed when it is renewed, kept while the daemon is away, dropped when its user signs out, never too old."""

import dataclasses
import subprocess
import sys
import threading

import pytest

import token_broker
from token_broker import token_source
from token_broker.answers import SignInNeeded, TokenExpired, TokenOrigin
from token_broker.errors import Failure, refused


def test_it_follows_renewals_restarts_and_sign_outs(stage, mail, ada):
    with token_broker.TokenSource(mail, ["api:read"], ada) as source:
        first = source.ready(30)
        assert first.access_token == mail.acquire_token_silent(["api:read"], ada).access_token
        renewed = mail.acquire_token_silent(["api:read"], ada, force_refresh=True)
        second = source.wait_for_another(first, 30)
        assert second.access_token == renewed.access_token != first.access_token
        assert stage("stop") and source.token() == second
        stage("start")
        third = mail.acquire_token_silent(["api:read"], ada, force_refresh=True)
        assert source.wait_for_another(second, 30).access_token == third.access_token
        mail.remove_account(ada)
        with source._changed:
            assert source._changed.wait_for(lambda: source._word.token is None, 30)
        with pytest.raises(token_broker.TokenUnavailable) as caught:
            source.token()
        assert isinstance(caught.value.why, SignInNeeded) and "broker-cli login mail" in str(caught.value)
        signed_in = mail.acquire_token_interactive(["api:read"], on_open_url=lambda url: stage("sign_in", url=url))
        assert source.wait_for_another(None, 30).access_token == signed_in.access_token
    with pytest.raises(token_broker.TokenUnavailable, match="closed"):
        source.token()
    assert not [thread for thread in threading.enumerate() if thread.name == "token-broker-source"]


def test_why_there_is_none_is_said(stage):
    with token_broker.TokenSource(token_broker.Application("nobody", stage.socket)) as source:
        with pytest.raises(token_broker.TokenUnavailable) as caught:
            source.ready(30)
        assert isinstance(caught.value.why, token_broker.ApplicationNotFound)
    with pytest.raises(TypeError):
        token_broker.TokenSource(token_broker.Application("mail", stage.socket), min_validity="long")


def test_it_waits_for_a_daemon_that_is_not_there_yet(stage, mail, ada, tmp_path):
    socket = tmp_path / "socket"
    with token_broker.TokenSource(token_broker.Application("mail", socket), ["api:read"], ada) as source:
        with pytest.raises(token_broker.TokenUnavailable, match="no daemon answers"):
            source.ready(0.1)
        threading.Timer(0.1, socket.symlink_to, [stage.socket]).start()
        assert source.ready(30).account == ada


@pytest.mark.parametrize("wait", ["ready", "wait_for_another"])
def test_closing_ends_every_wait(wait):
    source = token_broker.TokenSource(token_broker.Application("mail", "/nonexistent"))
    waits = [] if wait == "ready" else [None]
    threading.Timer(0.1, source.close).start()
    with pytest.raises(token_broker.TokenUnavailable, match="closed"):
        getattr(source, wait)(*waits)


def test_a_fault_is_said_and_mended(stage, mail, ada, monkeypatch):
    """As when the application's owner closes the channel while the source begins to use it."""
    stream = mail._door.stream

    def fault(exchange):
        monkeypatch.setattr(mail._door, "stream", stream)
        raise ValueError("Cannot invoke RPC on closed channel!")

    monkeypatch.setattr(mail._door, "stream", fault)
    monkeypatch.setattr(token_source, "pause", lambda error, failures: 0.3)
    with token_broker.TokenSource(mail, ["api:read"], ada) as source:
        with pytest.raises(token_broker.TokenUnavailable, match="closed channel"):
            source.ready(30)
        assert source.wait_for_another(None, 30).account == ada


FORKS = """
import asyncio, os, sys, token_broker
from token_broker import aio

def in_child(act):
    child = os.fork()
    if child == 0:
        act()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

def asks():
    assert app.acquire_token_silent(["api:read"]).access_token == first.access_token

def is_told(call):
    try:
        call()
    except token_broker.BrokerError as error:
        assert "spawn" in str(error), error
    else:
        sys.exit("it was not told")

def has_no_source():
    for call in (source.token, source.ready, lambda: source.wait_for_another(first), app.get_accounts):
        is_told(call)
    source.close()

async def ask():
    async with aio.Application("mail", sys.argv[1]) as twin:
        await twin.get_accounts()

app = token_broker.Application("mail", sys.argv[1])
first = app.acquire_token_silent(["api:read"])
in_child(asks)
with token_broker.TokenSource(app, ["api:read"]) as source:
    assert source.ready(30).access_token == first.access_token
    in_child(has_no_source)
    renewed = app.acquire_token_silent(["api:read"], force_refresh=True)
    assert source.wait_for_another(first, 30).access_token == renewed.access_token
asyncio.run(ask())
in_child(lambda: is_told(lambda: asyncio.run(ask())))
"""


def test_a_child_of_a_fork_asks_or_is_told_why_it_cannot(stage, mail, ada):
    command = [sys.executable, "-Xfaulthandler", "-c", FORKS, stage.socket]
    subprocess.run(command, env={"PYTHONPATH": ":".join(sys.path)}, timeout=60, check=True)


class Still(token_broker.TokenSource):
    """A source that hears only what a test tells it."""

    def _follow(self):
        pass


@pytest.fixture
def at(monkeypatch):
    """Sets the clock."""

    def set_clock(seconds):
        monkeypatch.setattr(token_source.time, "time", lambda: seconds)

    set_clock(0)
    return set_clock


def a_token(expires_on):
    return token_broker.Token("t", "Bearer", expires_on, None, (), None, TokenOrigin.CACHE, None, "")


def is_there(source):
    try:
        source.token()
    except token_broker.TokenUnavailable:
        return False
    return True


def test_none_is_handed_out_too_late(at):
    source = Still(token_broker.Application("mail", "/s"), min_validity=60)
    with pytest.raises(token_broker.TokenUnavailable, match="not sent a token yet"):
        source.ready(0)
    source._take(a_token(100))
    for seconds, there in ((39, True), (40, False), (10, True)):
        at(seconds)
        assert is_there(source) == there
    at(40)
    with pytest.raises(token_broker.TokenUnavailable) as caught:
        source.ready(0)
    assert isinstance(caught.value.why, token_broker.Overdue)
    at(70)
    source._take(a_token(120))
    at(119)
    assert is_there(source), "it lives shorter than promised"
    at(120)
    assert not is_there(source)


def test_the_same_token_again_is_no_other(at):
    source = Still(token_broker.Application("mail", "/s"))
    source._take(a_token(100))
    again = dataclasses.replace(source.token(), correlation_id="of another answer")
    threading.Timer(0.1, source.close).start()
    with pytest.raises(token_broker.TokenUnavailable, match="closed"):
        source.wait_for_another(again)


def test_what_costs_a_good_token_and_what_does_not(at):
    source = Still(token_broker.Application("mail", "/s"))
    events = [(SignInNeeded("m", None, 100), True), (SignInNeeded("m", None, None), False), (TokenExpired(1, "R", "m"), False)]
    for event, kept in events:
        source._take(a_token(100))
        source._take(event)
        assert is_there(source) == kept, event
    for reason, kept in (("LOCKED", True), ("ACCESS_DENIED", False), ("NOT_INVENTED_YET", False)):
        source._take(a_token(100))
        source._lose(refused(Failure(reason, "no")))
        assert is_there(source) == kept, reason
    source._take(a_token(100))
    source._lose(token_broker.Interrupted())
    assert is_there(source)


def test_a_restart_is_met_at_once_and_a_refusal_is_not_hammered():
    lost = token_broker.Interrupted()
    assert [token_source.pause(lost, failures) for failures in (0, 1, 30)] == [0.01, 0.02, 5.0]
    away = refused(Failure("AUTHORITY_UNAVAILABLE", "no"))
    assert [token_source.pause(away, failures) for failures in (0, 1, 30)] == [1, 2, 60]
    assert token_source.pause(refused(Failure("AUTHORITY_UNAVAILABLE", "no", retry_after=90)), 0) == 90
