"""Many processes on one account: one refresh at the provider, and no secret of the provider in any of them."""

import subprocess
import sys

PROCESSES = 16

CALLER = """
import pathlib, re, sys, token_broker
app = token_broker.Application("mail", sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
print(app.acquire_token_silent(["api:read"], min_validity=3600).access_token, flush=True)
"""


def test_many_processes_cause_one_refresh(stage, mail, ada):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    command = [sys.executable, "-c", CALLER, stage.socket]
    environment = {"PYTHONPATH": ":".join(sys.path)}
    before = stage("requests", name="token:refresh_token")
    callers = [subprocess.Popen(command, env=environment, **pipes) for _ in range(PROCESSES)]
    assert {caller.stdout.readline() for caller in callers} == {"ready\n"}
    for caller in callers:
        caller.stdin.write("\n")
        caller.stdin.flush()
    tokens = {caller.communicate(timeout=60)[0] for caller in callers}
    assert all(caller.returncode == 0 for caller in callers)
    print(len(tokens), stage("requests", name="token:refresh_token") - before)
