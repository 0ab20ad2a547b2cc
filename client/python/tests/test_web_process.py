"""A web process from outside: neither its memory nor a file of it holds what only the daemon should know."""

import re
import sys

import pytest
import requests
from test_samples import RUST, SAMPLES, path, running

#: As tests/it/python/stage.rs registers `site`.
CLIENT_SECRET = "web secret"


@pytest.fixture(params=[*SAMPLES, RUST])
def web_process(request, stage, graph, tmp_path):
    with running(request.param, stage, graph, tmp_path) as started:
        yield started


def memory_of(process):
    """What is readable in the memory of a child."""
    parts = []
    with open(f"/proc/{process.pid}/maps") as maps, open(f"/proc/{process.pid}/mem", "rb", 0) as memory:
        for line in maps:
            start, end, rights = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+)", line).groups()
            if rights.startswith("rw"):
                memory.seek(int(start, 16))
                parts.append(memory.read(int(end, 16) - int(start, 16)))
    return b"".join(parts)


@pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")
def test_no_refresh_token_and_no_client_secret_is_in_a_web_process(stage, graph, site, web_process, tmp_path):
    process, address = web_process
    with requests.Session() as browser:
        url = browser.get(f"{address}/login", allow_redirects=False).headers["Location"]
        page = browser.get(address + path(stage("sign_in_until", url=url, user="ada")))
    assert page.status_code == 200 and "Authenticated with " in page.text
    memory = memory_of(process)
    assert graph.base.encode() in memory and graph.tokens[-1].encode() in memory
    refresh_tokens = [secret for secret in stage("secrets") if secret.startswith("rt-")]
    assert refresh_tokens
    assert not [secret for secret in [*refresh_tokens, CLIENT_SECRET] if secret.encode() in memory]
    assert list(tmp_path.iterdir()) == []
    process.kill()
    printed = "".join(process.communicate())
    assert not [secret for secret in stage("secrets") if secret in printed]
