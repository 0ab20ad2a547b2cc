"""How long MSAL Python takes for a silent hit, by the number of tokens in its cache: prints JSON, medians in microseconds.

Arguments: the numbers of tokens. A hundred tokens an account, each with one scope common to all and one of its own; the user in the
middle of the cache asks for exactly the scopes of a token, and for the common one alone.
"""

import json
import statistics
import sys
import time

import msal

HOST = "login.microsoftonline.com"
TENANT = "99999999-8888-7777-6666-555555555555"
CLIENT = "11111111-2222-3333-4444-555555555555"
PER_ACCOUNT = 100


class Metadata:
    """Answers tenant discovery, the only request there is."""

    def get(self, url, **_):
        base = f"https://{HOST}/{TENANT}"
        answer = {
            "issuer": f"{base}/v2.0",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "token_endpoint": f"{base}/oauth2/v2.0/token",
        }
        response = type("Response", (), {})()
        response.status_code, response.text, response.headers = 200, json.dumps(answer), {}
        response.raise_for_status = lambda: None
        return response

    def post(self, *_, **__):
        raise AssertionError("a hit asks nobody")

    def close(self):
        pass


def cache(tokens):
    later = str(int(time.time()) + 86400)
    entries, accounts = {}, {}
    for number in range(tokens):
        home = f"user{number // PER_ACCOUNT}.{TENANT}"
        target = f"common own{number % PER_ACCOUNT}"
        key = "-".join([home, HOST, "accesstoken", CLIENT, TENANT, target]).lower()
        entries[key] = {
            "credential_type": "AccessToken", "secret": "t" * 1400, "home_account_id": home, "environment": HOST,
            "client_id": CLIENT, "target": target, "realm": TENANT, "token_type": "Bearer", "cached_at": later,
            "expires_on": later, "extended_expires_on": later,
        }
        accounts[f"{home}-{HOST}-{TENANT}"] = {
            "home_account_id": home, "environment": HOST, "realm": TENANT, "local_account_id": home,
            "username": f"{home}@example.com", "authority_type": "MSSTS",
        }
    kept = msal.SerializableTokenCache()
    kept.deserialize(json.dumps({"AccessToken": entries, "Account": accounts}))
    return kept


def median(app, account, scopes):
    measured = []
    until = time.perf_counter() + 2
    while len(measured) < 2000 and (len(measured) < 5 or time.perf_counter() < until):
        begun = time.perf_counter()
        result = app.acquire_token_silent(scopes, account)
        measured.append(time.perf_counter() - begun)
        assert result["access_token"] and result["token_source"] == "cache", result
    return statistics.median(measured) * 1e6


def main():
    rows = []
    for tokens in map(int, sys.argv[1:]):
        app = msal.PublicClientApplication(
            CLIENT, authority=f"https://{HOST}/{TENANT}", token_cache=cache(tokens), http_client=Metadata()
        )
        home = f"user{tokens // PER_ACCOUNT // 2}.{TENANT}"
        account = {"home_account_id": home, "environment": HOST, "username": home}
        exact, subset = median(app, account, ["common", "own50"]), median(app, account, ["common"])
        rows.append({"tokens": tokens, "exact_us": exact, "subset_us": subset})
    print(json.dumps(rows))


main()
