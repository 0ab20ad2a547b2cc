"""A token that is always at hand: one thread follows it at the daemon and keeps the last one that was pushed; reading it is a look
into memory and at the clock.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from types import TracebackType

from .answers import SignInNeeded, Token, TokenExpired
from .application import Application
from .door import Stream
from .errors import (
    AuthorityRefused,
    AuthorityUnavailable,
    BrokerError,
    Cancelled,
    Expired,
    Internal,
    Interrupted,
    LimitExceeded,
    Locked,
    Refused,
    StoreCorrupt,
    StoreUnavailable,
)
from .exchanges import AccountName, Scopes

#: Refusals that say nothing of the token itself: a good one stays good.
_MAY_PASS = (
    AuthorityRefused,
    AuthorityUnavailable,
    Cancelled,
    Expired,
    Internal,
    LimitExceeded,
    Locked,
    StoreCorrupt,
    StoreUnavailable,
)
_Event = Token | SignInNeeded | TokenExpired


class TokenUnavailable(BrokerError):
    """A source has no valid token now; `why` is what the daemon said, or why it said nothing."""

    def __init__(self, why: SignInNeeded | TokenExpired | BrokerError | None) -> None:
        super().__init__(why)
        self.why = why

    def __str__(self) -> str:
        match self.why:
            case None:
                return "the daemon has not sent a token yet"
            case SignInNeeded(message=message) | TokenExpired(message=message):
                return message
            case error:
                return str(error)


@dataclass(frozen=True, slots=True)
class _Word:
    """The last word of the daemon, replaced as a whole."""

    token: Token | None = None
    #: The first second in which it is not handed out any more.
    ends: int = 0
    #: What is said when there is none, or when it has ended.
    otherwise: SignInNeeded | TokenExpired | BrokerError | None = None
    is_said: bool = False


class TokenSource:
    """Follows a token at the daemon, which renews it before it runs out and pushes every newer one.

    - `token` answers at once: the last token, or `TokenUnavailable`. It never hands out one that has run out.
    - While the daemon is away the last token stays good until it runs out; the thread connects again by itself. When the account
      signs out or the application is removed the token is dropped at once.
    - Leave it (`with`) or `close` it to end the thread.
    """

    def __init__(
        self,
        application: Application,
        scopes: Scopes = None,
        account: AccountName = None,
        *,
        app_only: bool = False,
        min_validity: int = 0,
    ) -> None:
        self._application = application
        self._scopes = scopes.split() if isinstance(scopes, str) else None if scopes is None else list(scopes)
        self._account = account
        self._app_only = app_only
        self._min_validity = min_validity
        self._word = _Word()
        self._changed = threading.Condition()
        self._closed = threading.Event()
        self._stream: Stream[_Event] | None = None
        self._thread = threading.Thread(target=self._follow, name="token-broker-source", daemon=True)
        self._thread.start()

    def token(self) -> Token:
        """The token now, or raises `TokenUnavailable`."""
        return _read(self._word)

    def ready(self, timeout: float | None = None) -> Token:
        """Waits until the daemon has said something, `timeout` seconds at most, and then answers as `token`."""
        with self._changed:
            self._changed.wait_for(lambda: self._word.is_said, timeout)
        return self.token()

    def wait_for_another(self, token: Token | None, timeout: float | None = None) -> Token:
        """Waits until there is another valid token than this one, `timeout` seconds at most, and then answers as `token`."""

        def is_another() -> bool:
            try:
                return _read(self._word) != token
            except TokenUnavailable:
                return False

        with self._changed:
            self._changed.wait_for(is_another, timeout)
        return self.token()

    def close(self) -> None:
        """Ends the thread and drops the token."""
        with self._changed:
            self._closed.set()
            if self._stream is not None:
                self._stream.cancel()
        self._thread.join()
        self._put(_Word(is_said=True, otherwise=BrokerError("the source is closed")))

    def __enter__(self) -> TokenSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"TokenSource({self._application.name})"

    def _follow(self) -> None:
        failures = 0
        while not self._closed.is_set():
            error: BrokerError = Interrupted()
            try:
                for event in self._begin():
                    failures = 0
                    self._take(event)
            except BrokerError as caught:
                error = caught
            self._lose(error)
            self._closed.wait(pause(error, failures))
            failures += 1

    def _begin(self) -> Stream[_Event]:
        stream = self._application.watch_token(
            self._scopes, self._account, app_only=self._app_only, min_validity=self._min_validity
        )
        with self._changed:
            self._stream = stream
            if self._closed.is_set():
                stream.cancel()
        return stream

    def _take(self, event: _Event) -> None:
        match event:
            case Token(expires_on=expires_on):
                promised = expires_on - self._min_validity
                # A token that cannot live as long as it should is the best there is.
                ends = promised if promised > time.time() else expires_on
                self._put(_Word(event, ends, None, True))
            case SignInNeeded(token_expires_on=None) | TokenExpired():
                self._put(_Word(otherwise=event, is_said=True))
            case SignInNeeded():
                # The last token may be good until it ends.
                self._put(_Word(self._word.token, self._word.ends, event, True))

    def _lose(self, error: BrokerError) -> None:
        """Takes in that the daemon is away, or refuses. What may pass costs no token that is good."""
        if isinstance(error, Refused) and not isinstance(error, _MAY_PASS):
            self._put(_Word(otherwise=error, is_said=True))
        else:
            self._put(_Word(self._word.token, self._word.ends, error, True))

    def _put(self, word: _Word) -> None:
        with self._changed:
            self._word = word
            self._changed.notify_all()


def pause(error: BrokerError, failures: int) -> float:
    """Seconds until the next attempt: soon at first when the daemon is away, since most restarts take no time at all."""
    doubled = 1 << min(failures, 16)
    if isinstance(error, Refused):
        return max(min(1.0 * doubled, 60.0), error.failure.retry_after or 0)
    return min(0.01 * doubled, 5.0)


def _read(word: _Word) -> Token:
    if word.token is not None and time.time() < word.ends:
        return word.token
    raise TokenUnavailable(word.otherwise)
