"""The channel to the daemon, sync and async: opened on the first call, after a look at who serves, and anew when the daemon was
restarted. What broke is sent again as far as that is harmless.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Generic

import grpc
import grpc.aio

from . import after_fork, trailers
from .errors import BrokerError, Interrupted
from .exchanges import Answer, Exchange
from .threshold import Threshold

#: How often a call is sent in all while the daemon restarts: the one that breaks, and two more.
_ATTEMPTS = 3
_SERVICE = "/token_broker.v1.TokenBroker/"
_OPTIONS = (
    # A channel that was given up must not leave its pauses to the next one, nor a proxy be asked for a Unix socket.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_http_proxy", 0),
    # The longest answer that a caller may hold in memory, as gRPC has it by default.
    ("grpc.max_receive_message_length", 4 * 1024 * 1024),
)


def _again(exchange: Exchange[Answer], error: BrokerError, attempt: int) -> bool:
    """Whether to send it once more."""
    return isinstance(error, Interrupted) and exchange.harmless and attempt < _ATTEMPTS


class Door:
    """Keeps one channel for all threads of this process."""

    def __init__(self, threshold: Threshold) -> None:
        self._threshold = threshold
        self._lock = threading.Lock()
        self._channel: grpc.Channel | None = None
        after_fork.remember(self)

    def _begin_anew(self) -> None:
        """A channel does not survive a fork; the child opens its own."""
        self._lock = threading.Lock()
        self._channel = None

    def call(self, exchange: Exchange[Answer]) -> Answer:
        """Sends a call and reads its answer."""
        attempt = 1
        while True:
            channel = self._open()
            send = channel.unary_unary(
                _SERVICE + exchange.method,
                request_serializer=exchange.request.__class__.SerializeToString,
                response_deserializer=exchange.response.FromString,
            )
            try:
                return exchange.read(send(exchange.request))
            except grpc.RpcError as failed:
                error = trailers.read(failed)
            self._leave(channel, error)
            if not _again(exchange, error, attempt):
                raise error
            attempt += 1

    def stream(self, exchange: Exchange[Answer]) -> Stream[Answer]:
        """Starts a call whose answer comes in parts."""
        channel = self._open()
        send = channel.unary_stream(
            _SERVICE + exchange.method,
            request_serializer=exchange.request.__class__.SerializeToString,
            response_deserializer=exchange.response.FromString,
        )
        return Stream(send(exchange.request), exchange, lambda error: self._leave(channel, error))

    def close(self) -> None:
        """Closes the channel; the next call opens another."""
        with self._lock:
            channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()

    def _open(self) -> grpc.Channel:
        after_fork.require_working_grpc()
        with self._lock:
            if self._channel is not None and self._threshold.is_as_seen():
                return self._channel
            self._threshold.look()
            self._channel = grpc.insecure_channel(f"unix:{self._threshold.path.absolute()}", options=_OPTIONS)
            return self._channel

    def _leave(self, channel: grpc.Channel, error: BrokerError) -> None:
        """Forgets a channel that broke. It is not closed: another thread may still wait for an answer on it."""
        with self._lock:
            if isinstance(error, Interrupted) and self._channel is channel:
                self._channel = None


class Stream(Generic[Answer]):
    """The parts of an answer as they come. Leaving it (`with`) ends the call."""

    def __init__(self, call: Any, exchange: Exchange[Answer], broken: Callable[[BrokerError], None]) -> None:
        self._call = call
        self._exchange = exchange
        self._broken = broken

    def __enter__(self) -> Stream[Answer]:
        return self

    def __exit__(self, *_: object) -> None:
        self.cancel()

    def cancel(self) -> None:
        """Ends the call, from any thread."""
        self._call.cancel()

    def __iter__(self) -> Iterator[Answer]:
        try:
            for part in self._call:
                yield self._exchange.read(part)
        except grpc.RpcError as failed:
            error = trailers.read(failed)
        else:
            return
        self._broken(error)
        raise error


class AsyncDoor:
    """The same for an event loop: one channel for the loop of the first call."""

    def __init__(self, threshold: Threshold) -> None:
        self._threshold = threshold
        self._channel: grpc.aio.Channel | None = None

    async def call(self, exchange: Exchange[Answer]) -> Answer:
        """Sends a call and reads its answer."""
        attempt = 1
        while True:
            channel = self._open()
            send = channel.unary_unary(
                _SERVICE + exchange.method,
                request_serializer=exchange.request.__class__.SerializeToString,
                response_deserializer=exchange.response.FromString,
            )
            try:
                return exchange.read(await send(exchange.request))
            except grpc.aio.AioRpcError as failed:
                error = trailers.read(failed)
            self._leave(channel, error)
            if not _again(exchange, error, attempt):
                raise error
            attempt += 1

    def stream(self, exchange: Exchange[Answer]) -> AsyncStream[Answer]:
        """Starts a call whose answer comes in parts."""
        channel = self._open()
        send = channel.unary_stream(
            _SERVICE + exchange.method,
            request_serializer=exchange.request.__class__.SerializeToString,
            response_deserializer=exchange.response.FromString,
        )
        return AsyncStream(send(exchange.request), exchange, lambda error: self._leave(channel, error))

    async def close(self) -> None:
        """Closes the channel; the next call opens another."""
        channel, self._channel = self._channel, None
        if channel is not None:
            await channel.close()

    def _open(self) -> grpc.aio.Channel:
        after_fork.require_working_grpc()
        after_fork.note_aio()
        if self._channel is None or not self._threshold.is_as_seen():
            self._threshold.look()
            self._channel = grpc.aio.insecure_channel(f"unix:{self._threshold.path.absolute()}", options=_OPTIONS)
        return self._channel

    def _leave(self, channel: grpc.aio.Channel, error: BrokerError) -> None:
        if isinstance(error, Interrupted) and self._channel is channel:
            self._channel = None


class AsyncStream(Generic[Answer]):
    """The same for an event loop. Leaving it (`async with`) ends the call."""

    def __init__(self, call: Any, exchange: Exchange[Answer], broken: Callable[[BrokerError], None]) -> None:
        self._call = call
        self._exchange = exchange
        self._broken = broken

    async def __aenter__(self) -> AsyncStream[Answer]:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.cancel()

    def cancel(self) -> None:
        """Ends the call."""
        self._call.cancel()

    async def __aiter__(self) -> AsyncIterator[Answer]:
        try:
            async for part in self._call:
                yield self._exchange.read(part)
        except grpc.aio.AioRpcError as failed:
            error = trailers.read(failed)
        else:
            return
        self._broken(error)
        raise error
