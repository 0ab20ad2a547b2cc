"""Sign-in by browser and by device code, as the user has it: progress, consent, refusal, second thoughts. And without a page."""

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


#: Everybody's at the test's provider.
PASSWORD = "correct horse: +/%&=?~"


def test_a_password_signs_in_and_a_token_comes(stage, mail):
    token = mail.acquire_token_by_username_password("ada", PASSWORD, ["api:read"])
    assert token.account.username == "ada" and stage("is_active", token=token.access_token)
    assert mail.acquire_token_silent(["api:read"]).access_token == token.access_token


def test_a_wrong_password_is_refused_without_a_word_of_it(mail):
    with pytest.raises(token_broker.AuthorityRefused) as caught:
        mail.acquire_token_by_username_password("ada", "wr0ng", None)
    assert caught.value.failure.provider.error == "invalid_grant" and "wr0ng" not in str(caught.value)
    for username, password in (("", PASSWORD), ("ada", "")):
        with pytest.raises(token_broker.InvalidRequest):
            mail.acquire_token_by_username_password(username, password, None)
    assert mail.get_accounts() == []


def test_a_second_factor_is_asked_for_in_front_of_a_page(stage, mail):
    stage.fail_token(400, "invalid_grant", suberror="basic_action", claims='{"access_token":{"acrs":{"value":"c1"}}}')
    with pytest.raises(token_broker.InteractionRequired) as caught:
        mail.acquire_token_by_username_password("ada", PASSWORD, None)
    assert caught.value.failure.claims == '{"access_token":{"acrs":{"value":"c1"}}}'


def test_a_refresh_token_moves_here(stage, mail):
    before = set(stage("secrets"))
    mail.acquire_token_by_username_password("ada", PASSWORD, ["api:read"])
    (moved,) = (secret for secret in set(stage("secrets")) - before if secret.startswith("rt-"))
    assert mail.remove_account() and mail.get_accounts() == []
    token = mail.acquire_token_by_refresh_token(moved, ["api:read", "openid"])
    assert token.account.username == "ada" and stage("is_active", token=token.access_token)
    assert not stage("is_active", token=moved)
    with pytest.raises(token_broker.AuthorityRefused):
        mail.acquire_token_by_refresh_token("of-nobody", None)


def test_a_user_assertion_is_for_confidential_clients_of_microsoft(mail):
    with pytest.raises(token_broker.Unsupported):
        mail.acquire_token_by_user_federated_identity_credential(["api:read"], "assertion", username="ada")
    with pytest.raises(token_broker.InvalidRequest) as caught:
        mail.acquire_token_by_user_federated_identity_credential(
            ["api:read"], "assertion", username="ada", user_object_id="1"
        )
    assert caught.value.failure.field == "user_object_id"


def test_only_web_pages_are_opened(monkeypatch):
    from token_broker.application import open_in_browser

    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    for url in ("file:///etc/passwd", "javascript:alert(1)", "/bin/sh", "https://provider/"):
        open_in_browser(url)
    assert opened == ["https://provider/"]
