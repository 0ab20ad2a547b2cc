"""A token that is always at hand: one thread follows it at the daemon and keeps the last one that was pushed; reading it is a look
into memory and at the clock.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType

from . import after_fork, exchanges
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
    NoDaemon,
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
#: What a child of os.fork() had from its parent. To free it would wait for threads that the child has not.
_abandoned: list[object] = []


class Overdue(BrokerError):
    """The token ran out before the daemon pushed a newer one, such as after the machine slept."""

    def __init__(self) -> None:
        super().__init__("the token has expired and no newer one has come yet")


#: Nobody has to act: a token may still come. None: the daemon has said nothing yet.
_WAITS = (type(None), NoDaemon, Interrupted, TokenExpired, Overdue)


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
    #: Nothing is said after it.
    is_last: bool = False

    def valid(self) -> Token | None:
        return self.token if time.time() < self.ends else None

    def read(self) -> Token:
        token = self.valid()
        if token is None:
            raise TokenUnavailable(self.otherwise)
        return token


class TokenSource:
    """Follows a token at the daemon, which renews it before it runs out and pushes every newer one.

    - `token` answers at once: the last token, or `TokenUnavailable`. It never hands out one that has run out.
    - While the daemon is away the last token stays good until it runs out; the thread connects again by itself. When the account
      signs out or the application is removed the token is dropped at once.
    - In a child of `os.fork()` it has no token, and says why.
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
        request = exchanges.token_request(
            application.name, scopes, account, app_only=app_only, min_validity=min_validity
        )
        self._exchange = exchanges.watch(request)
        self._min_validity = min_validity
        self._word = _Word()
        self._changed = threading.Condition()
        self._closed = threading.Event()
        self._stream: Stream[_Event] | None = None
        self._thread = threading.Thread(target=self._follow, name="token-broker-source", daemon=True)
        after_fork.remember(self)
        self._thread.start()

    def token(self) -> Token:
        """The token now, or raises `TokenUnavailable`."""
        return self._word.read()

    def ready(self, timeout: float | None = None) -> Token:
        """Waits for the first token, `timeout` seconds at most, through a daemon that is not there yet; then answers as `token`.
        Ends early when somebody has to act: to sign in, or because the daemon refuses.
        """
        return self._wait_until(lambda word: word.valid() is not None or not isinstance(word.otherwise, _WAITS), timeout)

    def wait_for_another(self, token: Token | None, timeout: float | None = None) -> Token:
        """Waits until there is another valid token than this one, `timeout` seconds at most, and then answers as `token`."""
        known = token.access_token if token is not None else None
        return self._wait_until(lambda word: (now := word.valid()) is not None and now.access_token != known, timeout)

    def close(self) -> None:
        """Ends the thread and drops the token."""
        with self._changed:
            self._closed.set()
            if self._stream is not None:
                self._stream.cancel()
        self._thread.join()
        self._put(_Word(otherwise=BrokerError("the source is closed"), is_last=True))

    def _begin_anew(self) -> None:
        if self._closed.is_set():
            return
        _abandoned.append(self._stream)
        self._stream = None
        self._changed = threading.Condition()
        self._closed = threading.Event()
        self._word = _Word(otherwise=after_fork.forbid(), is_last=True)

    def __enter__(self) -> TokenSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"TokenSource({self._application.name})"

    def _wait_until(self, is_so: Callable[[_Word], bool], timeout: float | None) -> Token:
        with self._changed:
            self._changed.wait_for(lambda: self._word.is_last or is_so(self._word), timeout)
            return self._word.read()

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
            except Exception as fault:  # such as a channel that the application's owner closed just now
                error = BrokerError(f"the token could not be followed: {type(fault).__name__}: {fault}")
            self._lose(error)
            self._closed.wait(pause(error, failures))
            failures += 1

    def _begin(self) -> Stream[_Event]:
        stream = self._application._door.stream(self._exchange)
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
                self._put(_Word(event, ends, Overdue()))
            case SignInNeeded(token_expires_on=None) | TokenExpired():
                self._put(_Word(otherwise=event))
            case SignInNeeded():
                # The last token may be good until it ends.
                self._put(_Word(self._word.token, self._word.ends, event))

    def _lose(self, error: BrokerError) -> None:
        """Takes in that the daemon is away, or refuses. What may pass costs no token that is good."""
        if isinstance(error, Refused) and not isinstance(error, _MAY_PASS):
            self._put(_Word(otherwise=error))
        else:
            self._put(_Word(self._word.token, self._word.ends, error))

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
