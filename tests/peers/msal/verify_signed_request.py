"""Verifies signed HTTP requests with PyJWT, as a resource would: a line of standard input is the value of an `Authorization` header as a
JSON string, a line of standard output the header and the claims of it, verified with the key that its `cnf` names, and the
thumbprint of that key (RFC 7638) as `cryptography` and `hashlib` make it.
"""

import base64
import hashlib
import json
import sys

import jwt

#: The members of an elliptic curve's key that the thumbprint is made of.
MEMBERS = ("crv", "kty", "x", "y")

for line in sys.stdin:
    scheme, token = json.loads(line).split(" ")
    header = jwt.get_unverified_header(token)
    jwk = jwt.decode(token, options={"verify_signature": False})["cnf"]["jwk"]
    claims = jwt.decode(token, jwt.PyJWK(jwk, "ES256").key, algorithms=["ES256"])
    canonical = json.dumps({name: jwk[name] for name in MEMBERS}, separators=(",", ":"), sort_keys=True)
    thumbprint = base64.urlsafe_b64encode(hashlib.sha256(canonical.encode()).digest()).rstrip(b"=").decode()
    access_token = jwt.decode(claims["at"], options={"verify_signature": False, "verify_exp": False})
    print(json.dumps({
        "scheme": scheme, "header": header, "claims": claims, "thumbprint": thumbprint, "access_token": access_token,
    }), flush=True)
