"""What the ways of sending a token have in common: which servers may have one, and what a claims challenge in a 401 says
(Microsoft Entra ID, continuous access evaluation; RFC 9110, section 11.6.1).
"""

import base64
import binascii
import re
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

_PORTS = {"https": 443, "http": 80}
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')


def claims_of(www_authenticate: str | None) -> str | None:
    """The claims, JSON, that the next token must be asked with; none if that is not what the server wants."""
    if www_authenticate is None or not www_authenticate.lower().startswith("bearer "):
        return None
    parameters = dict(_PARAMETER.findall(www_authenticate))
    packed = parameters.get("claims")
    if packed is None or parameters.get("error") != "insufficient_claims":
        return None
    try:
        return base64.b64decode(packed + "=" * (-len(packed) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


def origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port: a token that was meant for one is not sent to another."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or _PORTS.get(parts.scheme)


def require_safe(url: str) -> None:
    """Raises `ValueError` if a token would go over the network in the clear."""
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts)):
        raise ValueError(f"a token is sent by https only, not to {parts.scheme}://{parts.hostname}")


def _is_loopback(parts: SplitResult) -> bool:
    try:
        return parts.hostname == "localhost" or ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False
