"""What the daemon answers, as frozen values. No repr shows a token, a code or a URL of a sign-in: they may go to a log."""

from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Account:
    """A user who signed in to one application (OpenID Connect Core 1.0, section 2)."""

    #: Stable key of the user: what a web application keeps in its session.
    home_account_id: str
    #: Name to show and to select by; may be empty.
    username: str
    #: Full name; may be empty.
    name: str
    #: Where the account lives: the host of the authority.
    environment: str
    #: Tenant of Microsoft Entra ID; empty elsewhere.
    tenant: str
    #: Name in the broker of the application.
    application: str


class TokenOrigin(StrEnum):
    """Where a token came from."""

    CACHE = "cache"
    IDENTITY_PROVIDER = "identity_provider"


@dataclass(frozen=True, slots=True)
class Token:
    """A valid access token."""

    #: The token itself, opaque (RFC 6749, section 1.4).
    access_token: str = field(repr=False)
    #: How to use it (RFC 6749, section 7.1), in general `Bearer`.
    token_type: str
    #: When it expires, Unix seconds.
    expires_on: int
    #: When the provider advises to renew it, Unix seconds.
    refresh_on: int | None
    #: The granted scopes.
    scopes: tuple[str, ...]
    #: Whose it is; none for a token of the application itself.
    account: Account | None
    #: Where it came from.
    source: TokenOrigin
    #: The ID token, when it was asked for and there is one.
    id_token: str | None = field(repr=False)
    #: Names the call in the daemon's log and at the provider, a UUID.
    correlation_id: str
    #: Thumbprint of the key that the token is bound to (RFC 7638); none for a bearer token.
    key_id: str | None = None
    #: Key of the on-behalf-of session that began, if the daemon made it: who has it gets this user's tokens.
    session_key: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class SignedHttpRequest:
    """A signed HTTP request: what goes into its header, for this one request."""

    #: Value of the `Authorization` header.
    authorization: str = field(repr=False)
    #: When the access token in it expires, Unix seconds.
    expires_on: int
    #: The granted scopes.
    scopes: tuple[str, ...]
    #: Whose it is; none for a token of the application itself.
    account: Account | None
    #: Where the access token came from.
    source: TokenOrigin
    #: Thumbprint of the daemon's key (RFC 7638).
    key_id: str
    #: Names the call in the daemon's log and at the provider, a UUID.
    correlation_id: str


@dataclass(frozen=True, slots=True)
class OpenUrl:
    """A step of a sign-in: open this URL in a browser on the machine of the daemon."""

    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class UserCode:
    """A step of a sign-in: open the verification URI on any device and enter the code (RFC 8628, section 3.2)."""

    verification_uri: str
    #: The same with the code in it.
    verification_uri_complete: str | None = field(repr=False)
    user_code: str = field(repr=False)
    #: When the code expires, Unix seconds.
    expires_on: int

    @property
    def message(self) -> str:
        """What to show to the user."""
        return f"Open {self.verification_uri} in a browser and enter the code {self.user_code}"


@dataclass(frozen=True, slots=True)
class AuthCodeFlow:
    """A sign-in that a web application began."""

    #: Where to send the user's browser.
    auth_uri: str = field(repr=False)
    #: The `state` that must come back.
    state: str = field(repr=False)
    #: When it is too late to complete, Unix seconds.
    expires_on: int

    @property
    def session(self) -> dict[str, str]:
        """What to keep in the user's session until the browser comes back: the `state`, and nothing else."""
        return {"state": self.state}


class Revocation(StrEnum):
    """What became of the revocation at the provider (RFC 7009)."""

    NOT_REQUESTED = "not_requested"
    ACCEPTED = "accepted"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SignedOut:
    """The end of an account."""

    #: Who signed out; none if nobody was signed in.
    account: Account | None
    revocation: Revocation
    #: Why the revocation failed, for people; the tokens are gone from the broker all the same.
    revocation_failure: str | None


@dataclass(frozen=True, slots=True)
class SignInNeeded:
    """A followed token cannot be renewed without the user."""

    #: Why, with the command to run.
    message: str
    #: Claims that the sign-in must ask for, JSON.
    claims: str | None
    #: When the last token ends, Unix seconds; none: drop it now.
    token_expires_on: int | None


@dataclass(frozen=True, slots=True)
class TokenExpired:
    """A followed token ran out, and there is no newer one for now; it comes as soon as there is."""

    #: When it ended, Unix seconds.
    expires_on: int
    #: Why there is no newer one, a reason as in `Refused.reason`.
    reason: str
    #: The same for people.
    message: str
