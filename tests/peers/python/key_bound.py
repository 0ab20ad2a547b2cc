"""Tokens that are bound to a key, by the Python client: prints an SSH certificate and two signed requests, the second of the async twin.

Arguments: the daemon's socket and a public key. No repr of an answer may show what is secret in it.
"""

import asyncio
import json
import sys

from token_broker import Application, aio

socket, public_key = sys.argv[1:]
with open(public_key, encoding="ascii") as file:
    key = file.read()


async def sign(url: str) -> str:
    async with aio.Application("work", socket) as twin:
        return (await twin.sign_http_request("POST", url, client_claims='{"a":1}')).authorization


with Application("work", socket) as app:
    certificate = app.acquire_ssh_certificate(None, key)
    signed = app.sign_http_request("GET", "https://api.example/v1/me", nonce="theirs")
    assert certificate.access_token not in repr(certificate) and signed.authorization not in repr(signed)
    print(json.dumps({
        "certificate": certificate.access_token,
        "token_type": certificate.token_type,
        "key_id": certificate.key_id,
        "username": signed.account.username if signed.account else None,
        "signed": [signed.authorization, asyncio.run(sign("https://api.example/v1/me"))],
    }))
