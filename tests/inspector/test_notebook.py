"""An agent, its window and a search result show themselves in a notebook."""

from __future__ import annotations

from .conftest import Site
from .life import HOSTILE


def test_each_has_its_html(shared_site: Site) -> None:
    agent = shared_site.agent
    shown = agent._repr_html_()
    assert shown and "<svg" in shown and "Ann moved to Port Anna." in shown and "<style>" in shown
    window = agent.window
    assert window and window.used == 2560 and window.size == 8192
    assert sum(part.tokens for part in window.parts) - window.size in range(-9, 10)
    assert "2,560 of 8,192" in (window._repr_html_() or "")
    found = agent.search("rye bread")
    assert found.messages.total and "rye bread" in (found._repr_html_() or "")


def test_what_others_wrote_is_only_text(site: Site) -> None:
    site.agent.core.append("human", HOSTILE)
    shown = site.agent._repr_html_() or ""
    assert "&lt;script&gt;" in shown and "<script>" not in shown and "\u202e" not in shown
