"""64 processes, and a client in another language, on one account whose token has run short: one refresh at the provider."""

import subprocess
import sys

PROCESSES = 64

# The package is loaded once; each child opens a channel of its own.
CALLERS = """
import os, sys, token_broker
app = token_broker.Application("mail", sys.argv[1])
ready, go = os.pipe(), os.pipe()
for _ in range(int(sys.argv[2])):
    if os.fork() == 0:
        os.close(go[1])
        os.write(ready[1], b".")
        os.read(go[0], 1)
        token = app.acquire_token_silent(["api:read"], min_validity=1800)
        os.write(1, token.access_token.encode() + b"\\n")
        os._exit(0)
seen = 0
while seen < int(sys.argv[2]):
    seen += len(os.read(ready[0], 1000))
os.write(1, b"ready\\n")
sys.stdin.readline()
os.close(go[1])
sys.exit(any(os.wait()[1] for _ in range(int(sys.argv[2]))))
"""


def test_many_processes_cause_one_refresh(stage, mail):
    stage("lifetime", seconds=1000)
    short = mail.acquire_token_interactive(None, on_open_url=lambda url: stage("sign_in", url=url))
    stage("lifetime", seconds=3600)
    before = stage("requests", name="token:refresh_token")
    command = [sys.executable, "-c", CALLERS, stage.socket, str(PROCESSES)]
    environment = {"PYTHONPATH": ":".join(sys.path)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=environment, **pipes) as callers:
        assert callers.stdout.readline() == "ready\n"
        callers.stdin.write("\n")
        callers.stdin.flush()
        of_another = stage("token", application="mail", seconds=1800)
        printed = callers.communicate(timeout=120)[0]
    assert callers.returncode == 0 and printed.split() == [of_another] * PROCESSES
    assert of_another != short.access_token
    assert stage("requests", name="token:refresh_token") - before == 1
