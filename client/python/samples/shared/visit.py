"""What the session of one browser holds, and the sign-in that fills it. The rules are the same in every sample; `Kept` is whatever
the framework keeps for a browser.

A session holds the `state` of a sign-in under way, then the id of the account and its name. Neither is a secret of the provider.
"""

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import config
from token_broker import AccountNotFound, Application, InteractionRequired, StateMismatch

Kept = MutableMapping[str, Any]


class Away(Exception):
    """The browser has to go to the provider first."""

    def __init__(self, url: str) -> None:
        super().__init__("sign in first")
        self.url = url


def begin(broker: Application, kept: Kept, page: str = "/graphcall") -> str:
    """Begins a sign-in that ends on `page`; returns where to send the browser."""
    return _begin(broker, kept, page, config.SCOPES, None, again=False)


def complete(broker: Application, kept: Kept, query: str) -> str:
    """Finishes it with the raw query that came to the redirect URI; returns the page that was wanted. A `state` serves once."""
    flow = kept.pop("flow", {})
    account = broker.acquire_token_by_auth_code_flow(flow, query, config.SCOPES).account
    if account is None:
        raise StateMismatch
    # A new session, so that nothing of another user's is in it.
    kept.clear()
    kept.update(account=account.home_account_id, username=account.username or account.home_account_id)
    page: str = flow["page"]
    if flow["again"]:
        kept["again"] = page
    return page


@contextmanager
def user(broker: Application, kept: Kept, page: str, scopes: list[str]) -> Iterator[str]:
    """The account of this session, for what `page` does with these scopes. Raises `Away` where the user has to sign in, consent to
    more, or answer a claims challenge; once for each page, since a second time would not help either.
    """
    account = kept.get("account")
    if account is None:
        raise Away(begin(broker, kept, page))
    again = kept.pop("again", None) == page
    try:
        yield account
    except InteractionRequired as error:
        if again:
            raise
        wanted = [*config.SCOPES, *(scope for scope in scopes if scope not in config.SCOPES)]
        raise Away(_begin(broker, kept, page, wanted, error.claims, again=True)) from None
    except AccountNotFound:
        # Signed out elsewhere.
        kept.clear()
        raise Away(begin(broker, kept, page)) from None


def end(broker: Application, kept: Kept) -> None:
    """Forgets the user, here and at the daemon, which asks the provider to revoke the grant."""
    account = kept.get("account")
    kept.clear()
    if account is not None:
        try:
            broker.remove_account(account, revoke=True)
        except AccountNotFound:
            pass


def _begin(broker: Application, kept: Kept, page: str, scopes: list[str], claims: str | None, *, again: bool) -> str:
    # Who is known already is not asked who she is.
    known = kept.get("username")
    flow = broker.initiate_auth_code_flow(
        scopes,
        config.REDIRECT_URI,
        login_hint=known,
        prompt=None if known else config.PROMPT or None,
        claims_challenge=claims,
    )
    kept["flow"] = {**flow.session, "page": page, "again": again}
    return flow.auth_uri
