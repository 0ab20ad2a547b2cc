"""Where the daemon's socket is: an explicit path, else `$TOKEN_BROKER_SOCKET`, else
`$XDG_RUNTIME_DIR/token-broker/broker.sock`, else the same under `/run/user/UID` when that folder is ours; on macOS the user's
cache folder. The same order as the daemon's and the command line's.
"""

import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

from .errors import NoSocketPath

_BELOW = "token-broker/broker.sock"


def resolve(explicit: str | os.PathLike[str] | None = None, environment: Mapping[str, str] = os.environ) -> Path:
    """Finds the path, or raises `NoSocketPath` if nothing names one."""
    if explicit is not None:
        return Path(explicit)
    if named := environment.get("TOKEN_BROKER_SOCKET"):
        return Path(named)
    folder = own_default() if sys.platform == "darwin" else (_runtime_dir(environment) or own_default())
    if folder is None:
        raise NoSocketPath
    return folder / _BELOW


def _runtime_dir(environment: Mapping[str, str]) -> Path | None:
    """The XDG folder; a relative one is to be ignored (XDG Base Directory Specification)."""
    named = Path(environment.get("XDG_RUNTIME_DIR", ""))
    return named if named.is_absolute() else None


def own_default() -> Path | None:
    """`/run/user/UID` if it is a folder of ours; on macOS the user's cache folder."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    folder = Path(f"/run/user/{os.geteuid()}")
    try:
        found = folder.lstat()
    except OSError:
        return None
    return folder if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() else None
