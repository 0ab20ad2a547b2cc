"""The async twin: the same calls, many at once, coroutines as callbacks."""

import asyncio
import inspect

import pytest

import token_broker
from conftest import REDIRECT
from token_broker import aio


def test_the_twins_have_the_same_calls():
    def calls(kind):
        own = {name: call for name, call in vars(kind).items() if not name.startswith("_")}
        return {name: list(inspect.signature(call).parameters.values()) for name, call in own.items()}

    assert len(calls(aio.Application)) > 8 and calls(aio.Application) == calls(token_broker.Application)


def test_everything_without_waiting_in_line(stage):
    async def live():
        loop = asyncio.get_running_loop()

        async def walk(url):
            await loop.run_in_executor(None, lambda: stage("sign_in", url=url, user="ada"))

        async with aio.Application("mail", stage.socket) as mail:
            with pytest.raises(token_broker.InteractionRequired):
                await mail.acquire_token_silent(None)
            token = await mail.acquire_token_interactive(["api:read"], on_open_url=walk)
            several = await asyncio.gather(*(mail.acquire_token_silent(["api:read"], token.account) for _ in range(64)))
            assert {one.access_token for one in several} == {token.access_token}
            assert await mail.get_accounts("ada") == [token.account]
            assert (await mail.remove_account(token.account)).account == token.account
            assert await mail.get_accounts() == []

    asyncio.run(live())


def test_device_code_and_application(stage):
    async def live():
        async with aio.Application("mail", stage.socket) as mail:
            token = await mail.acquire_token_by_device_flow(
                None, on_user_code=lambda code: stage("approve_device", user_code=code.user_code, user="bob")
            )
            await mail.remove_account(token.account)
        async with aio.Application("job", stage.socket) as job:
            assert (await job.acquire_token_for_client(["api:read"])).account is None
        return token.account.username

    assert asyncio.run(live()) == "bob"


def test_web_app(stage):
    async def live():
        async with aio.Application("site", stage.socket) as site:
            flow = await site.initiate_auth_code_flow(None, REDIRECT)
            query = stage("sign_in_until", url=flow.auth_uri, user="ada").partition("?")[2]
            with pytest.raises(token_broker.StateMismatch):
                await site.acquire_token_by_auth_code_flow({"state": "x"}, query)
            token = await site.acquire_token_by_auth_code_flow(flow.session, query)
            await site.remove_account(token.account)
            return token.account.username

    assert asyncio.run(live()) == "ada"


def test_a_cancelled_task_ends_the_sign_in(stage):
    async def live():
        opened = asyncio.Event()
        async with aio.Application("mail", stage.socket) as mail:
            signing_in = asyncio.create_task(
                mail.acquire_token_interactive(None, on_open_url=lambda _url: opened.set())
            )
            await opened.wait()
            signing_in.cancel()
            with pytest.raises(asyncio.CancelledError):
                await signing_in
            return await mail.get_accounts()

    assert asyncio.run(live()) == []


def test_a_restart_of_the_daemon(stage, ada):
    async def live():
        async with aio.Application("mail", stage.socket) as mail:
            before = await mail.acquire_token_silent(None, ada)
            assert stage("stop")
            with pytest.raises(token_broker.NoDaemon):
                await mail.acquire_token_silent(None, ada)
            stage("start")
            assert (await mail.acquire_token_silent(None, ada)).access_token == before.access_token

    asyncio.run(live())
