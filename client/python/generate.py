"""Writes what is derived: src/token_broker/v1 from the .proto files, src/token_broker/aio.py from application.py.

`python client/python/generate.py` writes them anew; a test checks that they are current.
"""

import pathlib
import re
import sys

from grpc_tools import protoc

HERE = pathlib.Path(__file__).resolve().parent
PROTO = HERE.parents[1] / "proto"
#: The files that a program needs.
FILES = ["account", "error", "token_broker"]
HEADER = '''"""The async twin of `token_broker.Application`, over grpc.aio. Callbacks may be coroutines.

Generated from application.py by generate.py: change that.
"""'''
#: From the words of a program that waits to those of one that awaits.
AWAITING = [
    (r'\A""".*?"""', lambda _: HEADER),
    (r"from collections\.abc import Callable, Mapping", "from collections.abc import Awaitable, Callable, Mapping"),
    (r"\b(Door|Stream)\b", r"Async\1"),
    (r"    def (get_|acquire_|sign_|initiate_|remove_|close|_sign_in)", r"    async def \1"),
    (r"    def __(enter|exit)__", r"    async def __a\1__"),
    (r"\b(self\._door\.(?:call|close)|self\.(?:_sign_in|acquire_token_silent|close))\(", r"await \1("),
    (r"\bwith self", "async with self"),
    (r"\bfor step in", "async for step in"),
    (r"    on_step\(step\)", "    answer = on_step(step)\n                if isinstance(answer, Awaitable):\n                    await answer"),
    (r"Safe to share between threads; connects on the first call\.", "Belongs to the event loop of the first call."),
    (r"\ndef open_in_browser.*?\n\n\n", "\n"),
    (r"import os\nimport webbrowser\n", "import os\n"),
    (r"from \.door import", "from .application import open_in_browser\nfrom .door import"),
]


def generate(out: pathlib.Path) -> None:
    """Compiles the messages into the folder `out`, modules and their types, and writes the async twin."""
    names = [f"token_broker/v1/{name}.proto" for name in FILES]
    if protoc.main(["protoc", f"-I{PROTO}", f"--python_out={out}", f"--pyi_out={out}", *names]) != 0:
        sys.exit("protoc refuses the files")
    text = (HERE / "src/token_broker/application.py").read_text()
    for pattern, words in AWAITING:
        text, changes = re.subn(pattern, words, text, flags=re.DOTALL)
        if changes == 0:
            sys.exit(f"application.py has nothing like {pattern}")
    (out / "token_broker/aio.py").write_text(text)


if __name__ == "__main__":
    generate(HERE / "src")
