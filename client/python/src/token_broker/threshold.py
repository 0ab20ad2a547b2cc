"""Who serves the socket: our own user or root, or the user named on purpose. The kernel says it of a connection that is made for
this look alone and on which nothing is sent; then gRPC connects by itself.

gRPC has no way to be handed a connection, so what is looked at is not the connection that is used. The look is repeated for
every new channel and whenever the socket file is another one than the one that was looked at: a server of another user would have
to take the place of the same file, in a folder that only its owner can write to.
"""

import os
import socket
import struct
import sys
from pathlib import Path

from .errors import ForeignServer, NoDaemon

_VARIABLE = "TOKEN_BROKER_SERVER_UID"
#: Which file a socket is: it changes when a server binds a new one.
Identity = tuple[int, int, int]


class Threshold:
    """Looks at the server before anything is sent to it."""

    def __init__(self, path: Path, server_uid: int | None = None) -> None:
        self.path = path
        self._accepted = {0, os.geteuid(), *_named(server_uid)}
        self._seen: Identity | None = None

    def is_as_seen(self) -> bool:
        """Whether the socket is still the file that was looked at."""
        try:
            return self._seen is not None and _identity(self.path) == self._seen
        except OSError:
            return False

    def look(self) -> None:
        """Raises `NoDaemon` if nobody answers, `ForeignServer` if the server may not serve us."""
        try:
            before = _identity(self.path)
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.connect(str(self.path))
                uid = peer_uid(connection)
        except OSError as error:
            raise NoDaemon(self.path, error.strerror or str(error)) from None
        if uid not in self._accepted:
            raise ForeignServer(self.path, uid)
        self._seen = before


def peer_uid(connection: socket.socket) -> int:
    """The user whose process listens at the other end."""
    if sys.platform == "darwin":
        # SOL_LOCAL, LOCAL_PEERCRED: struct xucred begins with its version and the uid.
        return int(struct.unpack_from("=II", connection.getsockopt(0, 1, 76))[1])
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("=iII"))
    return int(struct.unpack("=iII", credentials)[1])


def _identity(path: Path) -> Identity:
    found = path.stat()
    return (found.st_dev, found.st_ino, found.st_ctime_ns)


def _named(server_uid: int | None) -> set[int]:
    if server_uid is not None:
        return {server_uid}
    named = os.environ.get(_VARIABLE, "")
    return {int(named)} if named.isascii() and named.isdigit() else set()
