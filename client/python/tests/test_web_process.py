"""A web process from outside: neither its memory nor a file of it holds what only the daemon should know."""

import pathlib
import re
import socket
import subprocess
import sys

import pytest
import requests
from test_samples import SAMPLES, path

#: As tests/it/python/stage.rs registers `site`.
CLIENT_SECRET = "web secret"


@pytest.fixture(params=SAMPLES)
def web_process(request, stage, graph, tmp_path):
    """The sample as its users start it, but in an empty folder; and its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"http://localhost:{probe.getsockname()[1]}"
    sample = pathlib.Path(sys.modules["config"].__file__).with_name(f"{request.param}.py")
    environment = {
        "PYTHONPATH": ":".join(sys.path),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": str(tmp_path),
        "TOKEN_BROKER_SOCKET": stage.socket,
        "APPLICATION": "site",
        "GRAPH": graph.base,
        "REDIRECT_URI": f"{address}/login/authorized",
    }
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen([sys.executable, sample], env=environment, cwd=tmp_path, **pipes)
    assert process.stdout.readline() == f"Open {address}\n"
    yield process, address
    process.kill()
    process.communicate()


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
        page = browser.get(address + path(stage("sign_in_until", url=url, user="ada", until=address)))
    assert page.status_code == 200 and "Authenticated with " in page.text
    memory = memory_of(process)
    assert graph.base.encode() in memory and graph.tokens[-1].encode() in memory
    refresh_tokens = [secret for secret in stage("secrets") if secret.startswith("rt-")]
    assert refresh_tokens
    assert not [secret for secret in [*refresh_tokens, CLIENT_SECRET] if secret.encode() in memory]
    assert list(tmp_path.iterdir()) == []
    process.kill()
    printed = "".join(process.communicate())
    assert "GET /login/authorized 30" in printed
    assert not [secret for secret in stage("secrets") if secret in printed]
