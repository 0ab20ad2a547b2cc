"""The browser of a scripted user: opens an address of the double, follows it, and submits the form that an answer may come in.

Usage: browser.py URL. Both MSAL Python and broker-cli start it through $BROWSER; it goes to the background, as browsers do.
"""

import html
import os
import re
import sys

import requests


def go(url):
    """Follows redirects by itself; a page with a form that sends itself is sent on."""
    page = requests.get(url, timeout=30)
    while fields := re.findall(r'<input[^>]*name="([^"]*)"[^>]*value="([^"]*)"', page.text):
        action = re.search(r'<form[^>]*action="([^"]*)"', page.text)
        form = {name: html.unescape(value) for name, value in fields}
        page = requests.post(html.unescape(action[1]), data=form, timeout=30)


if __name__ == "__main__":
    if os.fork() == 0:
        os.setsid()
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nowhere, stream)
        go(sys.argv[1])
    os._exit(0)
