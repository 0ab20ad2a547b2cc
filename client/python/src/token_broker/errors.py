"""Why a call failed: a class for each reason of the daemon, and one for each way of not reaching it. All are `BrokerError`s."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from .answers import Account


class BrokerError(Exception):
    """Why a call failed. The text is for people; it holds no token."""


class NoSocketPath(BrokerError):
    """Nothing names the socket."""

    def __init__(self) -> None:
        super().__init__(
            "no place for the daemon's socket is known: XDG_RUNTIME_DIR is not set and there is no /run/user folder of yours"
        )


class NoDaemon(BrokerError):
    """Nobody answers at the socket."""

    def __init__(self, socket: Path, cause: str) -> None:
        super().__init__(socket, cause)
        self.socket = socket
        self.cause = cause

    def __str__(self) -> str:
        # The user's systemd listens in the folder that the usual socket is below.
        by_systemd = (self.socket.parent.parent / "systemd/private").exists()
        start = "`systemctl --user start token-broker` or `token-brokerd`" if by_systemd else "`token-brokerd`"
        return f"no daemon answers at {self.socket}: {self.cause}; start it with {start}"


class ForeignServer(BrokerError):
    """The process that serves the socket belongs to another user; nothing was sent to it."""

    def __init__(self, socket: Path, uid: int) -> None:
        super().__init__(socket, uid)
        self.socket = socket
        self.uid = uid

    def __str__(self) -> str:
        return (
            f"the server at {self.socket} belongs to another user (uid {self.uid}); nothing was sent to it. "
            f"TOKEN_BROKER_SERVER_UID={self.uid} would accept it"
        )


class ProtocolError(BrokerError):
    """The other side does not speak this protocol: not a token-broker daemon, or an older one."""


class Interrupted(BrokerError):
    """The connection broke before the answer was complete. The daemon may have done the work."""

    def __init__(self) -> None:
        super().__init__("the connection to the daemon broke before it had answered")


class StateMismatch(BrokerError):
    """The `state` that came to the redirect URI is not the one of this user's session: another browser's sign-in, or a forged one."""

    def __init__(self) -> None:
        super().__init__("this sign-in was not begun in this browser session, or was completed already; begin it again")


@dataclass(frozen=True, slots=True)
class ProviderError:
    """The provider's own words (RFC 6749, section 5.2)."""

    error: str
    suberror: str
    error_codes: tuple[int, ...]
    description: str
    correlation_id: str


@dataclass(frozen=True, slots=True)
class Failure:
    """The facts of a refusal."""

    #: The stable word for programs.
    reason: str
    #: A sentence for people.
    message: str
    #: Names the call in the daemon's log and at the provider, a UUID.
    correlation_id: str = ""
    #: What to do next; usually a command.
    advice: str = ""
    #: What the provider said, if it answered with an error.
    provider: ProviderError | None = None
    #: Claims that the next sign-in must ask for, JSON.
    claims: str | None = None
    #: Accounts to choose from.
    candidates: tuple[Account, ...] = ()
    #: Seconds to wait before trying again.
    retry_after: int | None = None
    #: Field of the request that broke a rule.
    field: str = ""
    #: The limit that was met.
    limit: str = ""


class Refused(BrokerError):
    """The daemon answered with a failure; its class and `reason` say which."""

    REASON: ClassVar[str] = ""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure)
        self.failure = failure

    def __str__(self) -> str:
        return self.failure.message

    @property
    def reason(self) -> str:
        """The stable word for programs, such as `INTERACTION_REQUIRED`."""
        return self.failure.reason

    @property
    def correlation_id(self) -> str:
        """Names the call in the daemon's log and at the provider, a UUID."""
        return self.failure.correlation_id


class InvalidRequest(Refused):
    """A field breaks a rule; both are named."""

    REASON = "INVALID_REQUEST"


class ApplicationNotFound(Refused):
    """No application of that name."""

    REASON = "APPLICATION_NOT_FOUND"


class AccountNotFound(Refused):
    """The account that was named is not signed in."""

    REASON = "ACCOUNT_NOT_FOUND"


class AlreadyExists(Refused):
    """The name is taken."""

    REASON = "ALREADY_EXISTS"


class AccountAmbiguous(Refused):
    """Several accounts fit; `failure.candidates` lists them."""

    REASON = "ACCOUNT_AMBIGUOUS"


class InteractionRequired(Refused):
    """The user has to sign in. Where MSAL's `acquire_token_silent` returns None, this is raised."""

    REASON = "INTERACTION_REQUIRED"

    @property
    def claims(self) -> str | None:
        """Claims that the sign-in must ask for, JSON: hand them over as `claims_challenge`."""
        return self.failure.claims


class Declined(Refused):
    """The user said no."""

    REASON = "DECLINED"


class AccessDenied(Refused):
    """Policy says no."""

    REASON = "ACCESS_DENIED"


class ApprovalPending(Refused):
    """A question to the owner is still open."""

    REASON = "APPROVAL_PENDING"


class AuthorityRefused(Refused):
    """The provider answered with an error that a sign-in will not mend; `failure.provider` has its words."""

    REASON = "AUTHORITY_REFUSED"


class AuthorityUnavailable(Refused):
    """The provider cannot be reached or asks to wait, `failure.retry_after` seconds if it said so."""

    REASON = "AUTHORITY_UNAVAILABLE"


class Expired(Refused):
    """A sign-in or a device code ran out."""

    REASON = "EXPIRED"


class Cancelled(Refused):
    """The caller gave up."""

    REASON = "CANCELLED"


class Locked(Refused):
    """The store is locked, or its key is missing or wrong."""

    REASON = "LOCKED"


class LimitExceeded(Refused):
    """A limit of the daemon was met; `failure.limit` names it."""

    REASON = "LIMIT_EXCEEDED"


class StoreUnavailable(Refused):
    """The store cannot be read or written now."""

    REASON = "STORE_UNAVAILABLE"


class StoreCorrupt(Refused):
    """A row of the store was changed or damaged; it is named."""

    REASON = "STORE_CORRUPT"


class Unsupported(Refused):
    """The daemon cannot do this."""

    REASON = "UNSUPPORTED"


class Internal(Refused):
    """A fault of the daemon; its id is in the log."""

    REASON = "INTERNAL"


#: The class of each reason. A reason of a newer daemon is a plain `Refused`.
BY_REASON: dict[str, type[Refused]] = {kind.REASON: kind for kind in Refused.__subclasses__()}


def refused(failure: Failure) -> Refused:
    """The exception for a failure, of its reason's class."""
    return BY_REASON.get(failure.reason, Refused)(failure)
