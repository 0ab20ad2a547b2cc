"""Runs the Python of broker/docs/from-msal-python.md, block after block, in one namespace; tests/it/migration feeds and judges it.

Usage: snippets.py. A line of standard input is a block as a JSON string, a line of standard output what became of it: null, or the
traceback. The namespace has what a web framework gives its handlers: `session`, `request` and `redirect`, which is the user's trip
to the provider and back. The assertion that a workload is given lies in the file `assertion.jwt`.
"""

import base64
import hashlib
import json
import os
import sys
import time
import traceback
import types
from urllib.parse import parse_qsl, urlsplit

import jwt
import requests
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

CLIENT = "44444444-2222-4333-8444-555555555555"
TENANT = "https://login.microsoftonline.com/contoso.example/v2.0"


def write_assertion():
    with open("application.pem", "rb") as file:
        pem = file.read()
    certificate = x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
    thumbprint = base64.urlsafe_b64encode(hashlib.sha256(certificate).digest()).rstrip(b"=").decode()
    metadata = requests.get(TENANT + "/.well-known/openid-configuration", timeout=30).json()
    claims = {"iss": CLIENT, "sub": CLIENT, "aud": metadata["token_endpoint"], "exp": int(time.time()) + 3600}
    with open("assertion.jwt", "w", encoding="ascii") as file:
        file.write(jwt.encode(claims, pem, "PS256", headers={"x5t#S256": thumbprint}))


request = types.SimpleNamespace(args={}, query_string=b"")


def redirect(url):
    """The user signs in there and comes back."""
    back = requests.get(url, allow_redirects=False, timeout=30).headers["location"]
    query = urlsplit(back).query
    request.args, request.query_string = dict(parse_qsl(query)), query.encode()


write_assertion()
sys.path.insert(0, os.getcwd())
namespace = {"session": {}, "request": request, "redirect": redirect}
answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
sys.stdout = sys.stderr
for line in sys.stdin:
    try:
        exec(compile(json.loads(line), "the block", "exec"), namespace)
        outcome = None
    except Exception:
        outcome = traceback.format_exc()
    print(json.dumps(outcome), file=answers, flush=True)
