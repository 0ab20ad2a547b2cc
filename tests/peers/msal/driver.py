"""MSAL Python, driven: plays the steps that come as JSON lines on standard input, and prints what MSAL made of each.

Usage: driver.py. The first line of a scenario is {"do": "open", ...} with its applications; tests/it/msal plays the user and the
platform, and judges. The clock is the test's: `time.time` says what the last line's "now" said, and a wait of the device flow
lets that much time pass at once.
"""

import base64
import hashlib
import json
import os
import sys
import time
import warnings
import webbrowser
from datetime import datetime

import msal
import msal.wstrust_request
from cryptography.hazmat.primitives.serialization import load_ssh_public_key
from msal.exceptions import MsalServiceError
from requests.exceptions import RequestException

warnings.simplefilter("ignore")
asleep = time.sleep


class Clock:
    """The time of the test."""

    def __init__(self):
        self.now = time.time()
        self.polling = False

    def time(self):
        return float(self.now)

    def sleep(self, seconds):
        if self.polling:
            self.now += seconds
        else:
            # MSAL looks once a second whether its browser has come back.
            asleep(0.005)


clock = Clock()
time.time = clock.time
time.sleep = clock.sleep


class Calendar(datetime):
    """Dates of the test's time, for the envelopes to federation servers."""

    @classmethod
    def now(cls, tz=None):
        return datetime.fromtimestamp(clock.now, tz)


msal.wstrust_request.datetime = Calendar


def say(**facts):
    print(json.dumps(facts), flush=True)


class Browser:
    """Hands the address to the test's scripted user."""

    def open(self, url, new=0, autoraise=True):
        say(open_url=url)
        return True


os.environ["BROWSER"] = "scripted"
webbrowser.register("scripted", None, Browser(), preferred=True)


class Scenario:
    """Applications that share one token cache, as on one computer."""

    def __init__(self, step):
        os.environ["HTTPS_PROXY"] = step["proxy"]
        os.environ["REQUESTS_CA_BUNDLE"] = step["certificates"]
        self.cache = msal.TokenCache()
        self.applications = {name: self.application(**facts) for name, facts in step["applications"].items()}
        self.flow = None

    def application(self, client_id, authority=None, issuer=None, secret=None, certificate=None, **facts):
        options = {
            "token_cache": self.cache,
            "client_capabilities": facts.get("capabilities"),
            "instance_discovery": facts.get("instance_discovery"),
        }
        options.update({"oidc_authority": issuer} if issuer else {"authority": authority})
        names = ("app_name", "app_version", "exclude_scopes", "client_claims")
        options.update({name: facts[name] for name in names if name in facts})
        if region := facts.get("region"):
            options["azure_region"] = True if region == "auto" else region
            # MSAL looks for the machine's region even when one is named.
            os.environ["REGION_NAME"] = facts.get("machine_region", region)
        if secret is not None:
            return msal.ConfidentialClientApplication(client_id, client_credential=secret, **options)
        if certificate is not None:
            with open(certificate, encoding="ascii") as file:
                pem = file.read()
            credential = {"private_key": pem, "public_certificate": pem[pem.index("-----BEGIN CERTIFICATE"):]}
            return msal.ConfidentialClientApplication(client_id, client_credential=credential, **options)
        return msal.PublicClientApplication(client_id, **options)

    def play(self, step):
        app = self.applications[step.get("application", "app")]
        return getattr(self, step["do"])(app, step)

    def sign_in(self, app, step):
        names = ("prompt", "login_hint", "domain_hint", "max_age")
        options = {name: step[name] for name in names if name in step}
        return signed_in(app.acquire_token_interactive(step["scopes"], claims_challenge=step.get("claims"), **options))

    def device_code(self, app, step):
        flow = app.initiate_device_flow(step["scopes"], claims_challenge=step.get("claims"))
        if "user_code" not in flow:
            return outcome(flow)
        clock.polling = True
        try:
            return signed_in(app.acquire_token_by_device_flow(flow, claims_challenge=step.get("claims")))
        finally:
            clock.polling = False

    def token(self, app, step):
        accounts = app.get_accounts(step.get("username"))
        if len(accounts) > 1:
            return "ambiguous"
        options = {"force_refresh": step.get("force_refresh", False), "claims_challenge": step.get("claims")}
        options.update(bound(step))
        if "tenant" in step:
            # Its answer to another tenant for one call: another application object on the same cache.
            authority = f"https://{app.authority.instance}/{step['tenant']}"
            app = msal.PublicClientApplication(app.client_id, authority=authority, token_cache=self.cache)
        account = accounts[0] if accounts else None
        options["forwarded_client_claims"] = step.get("client_claims")
        return outcome(app.acquire_token_silent_with_error(step["scopes"], account, **options))

    def password(self, app, step):
        return signed_in(app.acquire_token_by_username_password(
            step["username"], step["password"], step["scopes"], claims_challenge=step.get("claims")))

    def user_credential(self, app, step):
        return signed_in(app.acquire_token_by_user_federated_identity_credential(
            step["scopes"], step["assertion"], username=step.get("username"),
            user_object_id=step.get("user_object_id"), claims_challenge=step.get("claims")))

    def import_token(self, app, step):
        return signed_in(app.acquire_token_by_refresh_token(step["refresh_token"], step["scopes"]))

    def app_only(self, app, step):
        options = {"fmi_path": step.get("fmi_path"), "forwarded_client_claims": step.get("client_claims"), **bound(step)}
        return outcome(app.acquire_token_for_client(step["scopes"], claims_challenge=step.get("claims"), **options))

    def on_behalf_of(self, app, step):
        options = {"claims_challenge": step.get("claims"), "forwarded_client_claims": step.get("client_claims")}
        return outcome(app.acquire_token_on_behalf_of(step["assertion"], step["scopes"], **options))

    def session(self, app, step):
        """MSAL.NET has long-running processes; MSAL Python has no such call."""
        return "has no such call"

    def accounts(self, app, step):
        return " ".join(sorted(account["username"] for account in app.get_accounts())) or "nobody"

    def sign_out(self, app, step):
        for account in app.get_accounts(step.get("username")):
            app.remove_account(account)
        return "signed out"

    def wait(self, app, step):
        """For what is done in the background; MSAL does nothing there."""
        return "asked"

    def begin(self, app, step):
        names = ("prompt", "login_hint", "domain_hint", "max_age", "response_mode")
        options = {name: step[name] for name in names if name in step}
        self.flow = app.initiate_auth_code_flow(
            step["scopes"], redirect_uri=step["redirect_uri"], claims_challenge=step.get("claims"), **options)
        say(open_url=self.flow["auth_uri"])
        return "begun"

    def complete(self, app, step):
        return signed_in(app.acquire_token_by_auth_code_flow(self.flow, step["response"]))


def bound(step):
    """What a program hands to MSAL for an SSH certificate over its key: the key as a JWK, named by its thumbprint (RFC 7638)."""
    if "ssh_key" not in step:
        return {}
    with open(os.path.join(os.path.dirname(__file__), step["ssh_key"]), "rb") as file:
        numbers = load_ssh_public_key(file.read()).public_numbers()
    jwk = {"e": encoded(numbers.e), "kty": "RSA", "n": encoded(numbers.n)}
    thumbprint = hashlib.sha256(compact(jwk).encode()).digest()
    key_id = base64.urlsafe_b64encode(thumbprint).rstrip(b"=").decode()
    return {"data": {"token_type": "ssh-cert", "key_id": key_id, "req_cnf": compact({**jwk, "kid": key_id})}}


def encoded(number):
    return base64.urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8, "big")).rstrip(b"=").decode()


def compact(jwk):
    return json.dumps(jwk, sort_keys=True, separators=(",", ":"))


def signed_in(result):
    """Who signed in, or what was refused."""
    if "access_token" not in result:
        return outcome(result)
    claims = result["id_token_claims"]
    return "signed in " + (claims.get("preferred_username") or claims.get("upn"))


def outcome(result):
    """The words of a result; tests/it/msal uses the same for the broker's answers."""
    if result is None:
        return "sign-in needed"
    if "access_token" in result:
        return ("cached " if result["token_source"] == "cache" else "issued ") + result["access_token"]
    error = result["error"]
    if error in ("access_denied", "authorization_declined"):
        return "declined"
    # A flow that has run out ends with the last answer it was given.
    if error in ("expired_token", "code_expired", "authorization_pending"):
        return "expired"
    suberror = "/" + result["suberror"] if result.get("suberror") else ""
    return f"refused {error}{suberror}" + (" with claims" if result.get("claims") else "")


def attempt(step):
    """One step; what MSAL raises is an outcome, too."""
    global scenario
    try:
        if step["do"] == "open":
            scenario = Scenario(step)
            return "registered"
        return scenario.play(step)
    except (MsalServiceError, RequestException) as error:
        return "unavailable: " + type(error).__name__
    except (ValueError, RuntimeError) as error:
        return "raises " + type(error).__name__ + ": " + str(error).replace("\n", " ")


scenario = None
for line in sys.stdin:
    given = json.loads(line)
    clock.now = given["now"]
    say(gives=attempt(given), now=int(clock.now))
