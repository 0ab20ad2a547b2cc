"""Writes a token cache with MSAL's own SerializableTokenCache, to standard output: what a program that used MSAL leaves behind.

Two users of one client with tokens of two resources, an expired token, a token of the application itself, another client's.
"""

import base64
import json
import sys
import time

import msal

HOST = "login.microsoftonline.com"
CLIENT = "11111111-2222-3333-4444-555555555555"
TENANT = "99999999-8888-7777-6666-555555555555"


def b64(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def response(user, token, scope, **more):
    uid = f"uid-{user}"
    claims = {"oid": uid, "tid": TENANT, "preferred_username": f"{user}@contoso.com", "name": user.title(), "sub": "s"}
    return {
        "token_type": "Bearer",
        "access_token": token,
        "scope": scope,
        "expires_in": 3600,
        "refresh_token": f"refresh-{user}",
        "client_info": b64({"uid": uid, "utid": TENANT}),
        "id_token": ".".join([b64({"alg": "none"}), b64(claims), ""]),
        **more,
    }


def main():
    cache = msal.SerializableTokenCache()
    now = time.time()

    def add(answer, scope, client=CLIENT, at=now):
        endpoint = f"https://{HOST}/{TENANT}/oauth2/v2.0/token"
        granted = answer.get("scope", scope).split()
        event = {"client_id": client, "scope": granted, "token_endpoint": endpoint, "response": answer}
        cache.add({**event, "grant_type": "authorization_code"}, now=at)

    for user in ["ada", "bob"]:
        add(response(user, f"graph-{user}", "User.Read Mail.Read", refresh_in=1800), "User.Read")
        add(response(user, f"vault-{user}", "https://vault.azure.net/.default"), "https://vault.azure.net/.default")
    add(response("ada", "old", "Files.Read"), "Files.Read", at=now - 7200)
    add({"token_type": "Bearer", "access_token": "app-only", "expires_in": 3600}, "https://graph.microsoft.com/.default")
    add(response("ada", "others", "User.Read"), "User.Read", client="another-client")
    sys.stdout.write(cache.serialize())


main()
