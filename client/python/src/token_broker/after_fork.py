"""What a child of os.fork() does before anything else: it has none of the parent's threads, and a lock that one of them held is
never let go. Where gRPC had threads of its own at work every call in the child would hang or crash: that is said instead.
"""

import os
from typing import Protocol
from weakref import WeakSet

from .errors import BrokerError


class Inherited(Protocol):
    """Something that a child cannot use as it is."""

    def _begin_anew(self) -> None:
        """Replaces what is the parent's."""
        ...


_known: WeakSet[Inherited] = WeakSet()
_aio_is_used = False
_is_forbidden = False


def remember(one: Inherited) -> None:
    """From now on it is told in each child that is forked."""
    _known.add(one)


def note_aio() -> None:
    """grpc.aio is used: no child of this process can call, not even when all is closed."""
    global _aio_is_used
    _aio_is_used = True


def forbid() -> BrokerError:
    """In a child: no call can be made from here on. Returns why."""
    global _is_forbidden
    _is_forbidden = True
    return _forbidden()


def require_working_grpc() -> None:
    """Raises in a child that cannot call."""
    if _is_forbidden:
        raise _forbidden()


def _forbidden() -> BrokerError:
    return BrokerError(
        "gRPC does not work in a child of os.fork() whose parent followed a token or used token_broker.aio: "
        "fork before that, or begin the child by spawn"
    )


def _tell() -> None:
    for one in list(_known):
        one._begin_anew()
    if _aio_is_used:
        forbid()


os.register_at_fork(after_in_child=_tell)
