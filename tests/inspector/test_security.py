"""The page is for who has its address, on this machine, and no other site changes anything through it."""

from __future__ import annotations

import http.client
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from memgpt_autogen import events

from .conftest import Site
from .life import HOSTILE, reply, say


def ask(
    site: Site, path: str, *, form: Mapping[str, str] | None = None, **headers: str
) -> tuple[int, http.client.HTTPMessage, str]:
    """Status, headers and text of a path below the origin."""
    at = urlsplit(site.origin)
    assert at.hostname and at.port
    connection = http.client.HTTPConnection(at.hostname, at.port, timeout=90)
    sent: dict[str, Any] = {name.replace("_", "-"): value for name, value in headers.items()}
    if form is None:
        connection.request("GET", path, headers=sent)
    else:
        sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
        connection.request("POST", path, urlencode(form), sent)
    answer = connection.getresponse()
    found = answer.status, answer.headers, answer.read().decode()
    connection.close()
    return found


def path_of(site: Site, page: str) -> str:
    return site.page(page).removeprefix(site.origin)


def key_of(site: Site) -> str:
    found = re.search(r'name="key" value="([^"]+)"', ask(site, path_of(site, "memory"))[2])
    assert found
    return found[1]


@pytest.mark.parametrize(
    "path", ["/", "/memory", "/secret-of-the-tes/", "/secret-of-the-testX/", "/static/page.css", "//"]
)
def test_nothing_is_shown_without_the_token(shared_site: Site, path: str) -> None:
    status, _, text = ask(shared_site, path)
    assert status == 404 and "sam" not in text and "Ann" not in text


@pytest.mark.parametrize("host", ["evil.example", "localhost", "127.0.0.1:1", "evil.example:80", ""])
def test_another_name_of_this_machine_is_refused(shared_site: Site, host: str) -> None:
    status, _, text = ask(shared_site, path_of(shared_site, "memory"), Host=host)
    assert status == 421 and "Ann" not in text


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1", None])
def test_changes_come_only_from_the_page_itself(site: Site, origin: str | None) -> None:
    form = {"key": key_of(site), "label": "human", "version": "4", "value": "Owned."}
    headers = {} if origin is None else {"Origin": origin}
    status, _, _ = ask(site, path_of(site, "do/edit"), form=form, **headers)
    assert status == 403
    assert "Owned" not in site.agent.core.render()


def test_a_change_needs_the_key_of_its_form(site: Site) -> None:
    for key in ("", "guessed"):
        form = {"key": key, "label": "human", "version": "4", "value": "Owned."}
        assert ask(site, path_of(site, "do/edit"), form=form, Origin=site.origin)[0] == 403
    form = {"key": key_of(site), "label": "human", "version": "4", "value": "Owned."}
    assert ask(site, path_of(site, "do/edit"), form=form, Origin=site.origin)[0] == 303
    assert "Owned" in site.agent.core.render()
    status, _, _ = ask(site, path_of(site, "do/edit"))
    assert status == 405


@pytest.mark.parametrize("page", ["memory", "log", "static/page.js", "nowhere"])
def test_nothing_comes_from_elsewhere(shared_site: Site, page: str) -> None:
    path = urlsplit(shared_site.address).path + page if page.startswith("static") else path_of(shared_site, page)
    _, headers, text = ask(shared_site, path)
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff" and headers["Cache-Control"] == "no-store"
    assert not re.search(r"""(src|href|action)=["'](https?:)?//""", text)
    assert not re.search(r"\son\w+=|\sstyle=|<style|javascript:", text)


def test_what_others_wrote_is_only_text(site: Site) -> None:
    hostile = f"evil {HOSTILE}"
    site.agent.core.append("human", hostile)
    site.agent.archival.insert(hostile)
    site.agent.model.script += [reply(hostile, say("I hear you, and I will not do that."))]  # type: ignore[attr-defined]
    site.agent.run([events.user_message(hostile, name=hostile)])
    last = f"turn/{site.agent.store.turns(site.agent.id)}"
    for page in ("memory", "log", "changes", "search?q=evil", "manage?about=evil", "usage", "sources", last):
        _, _, text = ask(site, path_of(site, page))
        assert "<script>document" not in text and "<img" not in text, page
        assert "\u202e" not in text and "\x1b" not in text, page
        assert page in ("usage", "sources") or "&lt;script&gt;document" in text, page


@pytest.mark.parametrize(
    "page",
    ["nowhere", "turn/0", "turn/99", "turn/x", "log?page=x", "turn/1/prompt/9", "search?q=a&page=-1", "memory/x/y"],
)
def test_a_wrong_address_is_answered_with_a_page(shared_site: Site, page: str) -> None:
    status, _, text = ask(shared_site, path_of(shared_site, page))
    assert status in (400, 404) and "Traceback" not in text
