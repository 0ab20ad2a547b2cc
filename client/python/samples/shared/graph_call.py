"""A call of Microsoft Graph with the token in hand: what the two direct samples do, and what the other ways do by themselves."""

from typing import Any

import requests

from token_broker import Application
from token_broker.challenge import claims_of, require_safe
from token_broker.graph import GraphError


def read(broker: Application, scopes: list[str], account: str, url: str) -> Any:
    """What is at this URL, read as this user. A token is asked for each time: the daemon answers from its cache. It is sent by https
    only, or to this machine.

    A 401 with a claims challenge (continuous access evaluation) means that the token is not good any more, however long it would
    have lived. The daemon is asked for one with these claims, and raises `InteractionRequired` if that needs the user.
    """
    require_safe(url)
    token = broker.acquire_token_silent(scopes, account)
    response = _get(url, token.access_token)
    claims = claims_of(response.headers.get("WWW-Authenticate"))
    if response.status_code == 401 and claims is not None:
        token = broker.acquire_token_silent(scopes, account, claims_challenge=claims)
        response = _get(url, token.access_token)
    if not response.ok:
        raise GraphError.from_response(response)
    return response.json()


def _get(url: str, access_token: str) -> requests.Response:
    # A redirect is not followed: the token is for this address.
    headers = {"Authorization": f"Bearer {access_token}"}
    return requests.get(url, headers=headers, timeout=30, allow_redirects=False)
