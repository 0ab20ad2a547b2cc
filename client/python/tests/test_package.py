"""The package itself: derived files are current, the reasons are the daemon's, the wheel installs, the README's snippets run."""

import filecmp
import importlib.util
import pathlib
import re
import shutil
import subprocess
import sys
import venv
import zipfile

import pytest

import token_broker
from conftest import MESSAGES
from token_broker import errors

PACKAGE = pathlib.Path(__file__).resolve().parents[1]
ROOT = PACKAGE.parents[1]


def test_derived_files_are_current(tmp_path):
    specification = importlib.util.spec_from_file_location("generate", PACKAGE / "generate.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    (tmp_path / "token_broker").mkdir()
    module.generate(tmp_path)
    written = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.py*"))
    assert len(written) == 7
    _, changed, missing = filecmp.cmpfiles(tmp_path, PACKAGE / "src", written, shallow=False)
    assert (changed, missing) == ([], []), "run client/python/generate.py"


def test_every_reason_of_the_daemon_has_a_class():
    words = re.findall(r'^    [A-Z]\w+ "([A-Z_]+)" ', (ROOT / "proto/src/reason.rs").read_text(), re.MULTILINE)
    assert len(words) > 15 and sorted(words) == sorted(errors.BY_REASON)
    assert {kind.__name__ for kind in errors.BY_REASON.values()} <= set(token_broker.__all__)
    newer = errors.refused(errors.Failure("NOT_INVENTED_YET", "no"))
    assert (type(newer), newer.reason, str(newer)) == (token_broker.Refused, "NOT_INVENTED_YET", "no")


def test_systemd_is_named_where_it_runs(tmp_path):
    away = errors.NoDaemon(tmp_path / "token-broker/broker.sock", "gone")
    assert "token-brokerd" in str(away) and "systemctl" not in str(away)
    (tmp_path / "systemd").mkdir()
    (tmp_path / "systemd/private").touch()
    assert "systemctl --user start" in str(away)


def test_the_wheel_installs_into_a_clean_environment(tmp_path):
    # A copy: building leaves files beside the sources.
    source = tmp_path / "source"
    shutil.copytree(PACKAGE, source, ignore=shutil.ignore_patterns("__pycache__", "build", "*.egg-info"))
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    build = ["wheel", "--no-deps", "--no-index", "--no-build-isolation", "-w", str(tmp_path), str(source)]
    subprocess.run([*pip, *build], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    inside = zipfile.ZipFile(wheel).namelist()
    own = {str(path.relative_to(PACKAGE / "src")) for path in (PACKAGE / "src").rglob("*.py*") if path.suffix != ".pyc"}
    assert own | {"token_broker/py.typed"} == {name for name in inside if ".dist-info/" not in name and name[-1] != "/"}
    clean = tmp_path / "clean"
    venv.create(clean, with_pip=False)
    python = str(clean / "bin/python")
    subprocess.run([*pip, "--python", python, "install", "--no-index", "--no-deps", str(wheel)], check=True)
    # What it depends on comes from the environment of the tests, after its own.
    (site,) = clean.glob("lib/python*/site-packages")
    (site / "dependencies.pth").write_text(str(pathlib.Path(pytest.__file__).parents[1]))
    script = "import token_broker, token_broker.aio; print(token_broker.__file__, token_broker.Application.__name__)"
    shown = subprocess.run([python, "-I", "-c", script], check=True, capture_output=True, text=True).stdout
    assert shown == f"{site}/token_broker/__init__.py Application\n"
    subprocess.run([*pip, "--python", python, "check"], check=True)


def test_the_snippets_of_the_readme_run(stage, graph, mail, ada, monkeypatch, capsys):
    """One after the other, as a reader would type them; who opens the browser and what came back is the stage's part."""
    monkeypatch.setenv("TOKEN_BROKER_SOCKET", stage.socket)
    site = token_broker.Application("site", stage.socket)
    mail.remove_account(ada)
    monkeypatch.setattr("webbrowser.open", lambda url: stage("sign_in", url=url, user="ada"))
    # The user who reads the code on the terminal.
    monkeypatch.setattr(token_broker.UserCode, "message", property(lambda code: approved(stage, code)))
    names = {"API": graph.base, "came_back": lambda url: stage("sign_in_until", url=url).partition("?")[2]}
    snippets = re.findall(r"^```python\n(.*?)^```", (PACKAGE / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    for snippet in snippets:
        if "callers_token" in snippet:
            names["callers_token"] = names["app"].acquire_token_silent(["User.Read"]).access_token
        exec(compile(snippet, "README.md", "exec"), names)
    for opened in (names["app"], names["site"]):
        opened.close()
    printed = capsys.readouterr().out
    assert len(snippets) >= 8 and names["session"].keys() == {"account"}
    assert "\n".join(MESSAGES) in printed and "Bearer valid until" in printed and "enter the code" in printed
    assert not [secret for secret in stage("secrets") if secret in printed]
    for account in site.get_accounts():
        site.remove_account(account)
    site.close()


def approved(stage, code):
    stage("approve_device", user_code=code.user_code, user="ada")
    return "enter the code"
