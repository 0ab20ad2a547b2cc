"""Sign-in by browser and by device code, as the user has it: progress, consent, refusal, second thoughts."""

import pytest

import token_broker


def test_the_browser_is_opened_and_a_token_comes(stage, mail):
    pages = []
    token = mail.acquire_token_interactive(
        ["api:read", "mail:read"], on_open_url=lambda url: pages.append(stage("sign_in", url=url, user="grace"))
    )
    assert pages == [200] and token.account.username == "grace"
    assert {"api:read", "mail:read"} <= set(token.scopes) and stage("is_active", token=token.access_token)


def test_a_user_who_declines_is_told_apart(stage, mail):
    with pytest.raises(token_broker.Declined) as caught:
        mail.acquire_token_interactive(None, on_open_url=lambda url: stage("decline", url=url))
    assert caught.value.reason == "DECLINED" and mail.get_accounts() == []


def test_an_exception_of_the_callback_ends_the_sign_in(mail):
    class NoBrowser(Exception):
        pass

    def fail(_url: str) -> None:
        raise NoBrowser

    with pytest.raises(NoBrowser):
        mail.acquire_token_interactive(None, on_open_url=fail)
    assert mail.get_accounts() == []


def test_a_code_is_shown_and_a_token_comes(stage, mail):
    seen = []

    def show(code: token_broker.UserCode) -> None:
        seen.append(code)
        stage("approve_device", user_code=code.user_code, user="ada")

    token = mail.acquire_token_by_device_flow(["api:read"], on_user_code=show)
    assert token.account.username == "ada" and len(seen) == 1
    assert seen[0].user_code in seen[0].message and seen[0].verification_uri.startswith(stage("issuer"))


def test_a_device_that_is_declined(stage, mail):
    with pytest.raises(token_broker.Declined):
        mail.acquire_token_by_device_flow(
            None, on_user_code=lambda code: stage("decline_device", user_code=code.user_code)
        )


def test_only_web_pages_are_opened(monkeypatch):
    from token_broker.application import open_in_browser

    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    for url in ("file:///etc/passwd", "javascript:alert(1)", "/bin/sh", "https://provider/"):
        open_in_browser(url)
    assert opened == ["https://provider/"]
