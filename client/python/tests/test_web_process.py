"""A web process from outside: neither its memory nor a file of it holds what only the daemon should know."""

import re
import subprocess
import sys

import pytest
import requests
from test_sample_flask import path

#: As tests/it/python/stage.rs registers `site`.
CLIENT_SECRET = "web secret"
WEB_PROCESS = """
import sys, wsgiref.simple_server, sample_flask, token_broker
class Quiet(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, *_): pass
app = sample_flask.create_app(token_broker.Application("site", sys.argv[1]), sys.argv[2])
server = wsgiref.simple_server.make_server("127.0.0.1", 0, app, handler_class=Quiet)
print(server.server_port, flush=True)
server.serve_forever()
"""


@pytest.fixture
def web_process(stage, site_graph, tmp_path):
    """The process and its address; it runs in an empty folder."""
    command = [sys.executable, "-c", WEB_PROCESS, stage.socket, site_graph.base]
    environment = {"PYTHONPATH": ":".join(sys.path), "PYTHONDONTWRITEBYTECODE": "1", "HOME": str(tmp_path)}
    process = subprocess.Popen(command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    yield process, f"http://127.0.0.1:{process.stdout.readline().strip()}"
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
def test_no_refresh_token_and_no_client_secret_is_in_a_web_process(stage, site_graph, web_process, tmp_path):
    process, address = web_process
    browser = requests.Session()
    with browser:
        url = browser.get(f"{address}/login", allow_redirects=False).headers["Location"]
        back = path(stage("sign_in_until", url=url, user="ada"))
        page = browser.get(address + back)
    assert page.status_code == 200 and "Authenticated with Flask" in page.text
    memory = memory_of(process)
    assert site_graph.base.encode() in memory and site_graph.tokens[-1] is not None
    refresh_tokens = [secret for secret in stage("secrets") if secret.startswith("rt-")]
    assert refresh_tokens
    assert not [secret for secret in [*refresh_tokens, CLIENT_SECRET] if secret.encode() in memory]
    assert list(tmp_path.iterdir()) == []
