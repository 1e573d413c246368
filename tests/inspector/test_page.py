"""The page in a browser: reading, editing, searching, undoing, following an agent, also without JavaScript."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from memgpt_autogen import MemGPT, events
from memgpt_autogen.llm.scripted import ScriptedModel
from memgpt_autogen.storage.sqlite import SQLiteStore
from tests.core.wanderer import as_json

from .conftest import Site

PAGES = ["memory", "log", "changes", "search?q=railway&in=archival", "sources", "usage", "manage?about=Lena", "turn/3"]


#: What axe checks in each colour scheme: everything once, colours in both.
CHECKED = {"light": None, "dark": {"runOnly": ["color-contrast"]}}
pytestmark = pytest.mark.xdist_group("browser")


@pytest.fixture
def tab(chromium: Any) -> Iterator[Any]:
    """A tab whose errors fail the test."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    yield page
    context.close()
    assert not faults


def test_the_window_and_core_memory_are_shown_with_their_origin(tab: Any, shared_site: Site) -> None:
    tab.goto(shared_site.address)  # the only agent is opened
    assert tab.title().startswith("Memory · sam")
    assert tab.locator(".bar").get_attribute("aria-label") == "2,560 of 8,192 tokens are used"
    legend = tab.locator(".legend").inner_text()
    assert "Core memory" in legend and "Functions" in legend and "Free" in legend
    line = tab.locator(".lines li", has_text="she visits on a Sunday")
    assert "turn 4" in line.inner_text() and "it is Sunday that she comes" in line.inner_text()
    line.get_by_role("link", name="turn 4").click()
    assert "A correction." in tab.locator("main").inner_text()


def test_a_block_is_edited_and_not_over_another_edit(site: Site, tab: Any) -> None:
    tab.goto(site.page("memory"))
    tab.get_by_text("Edit human").click()
    tab.get_by_label("The whole text of human").fill("Ann bakes.\nLena visits.")
    tab.get_by_role("button", name="Write human").click()
    assert "was written" in tab.get_by_role("status").filter(has_text="block").inner_text()
    assert site.agent.core.block("human").value == "Ann bakes.\nLena visits."
    tab.get_by_text("Edit human").click()
    tab.get_by_label("The whole text of human").fill("Mine.")
    site.agent.core.append("human", "Meanwhile.")
    tab.get_by_role("button", name="Write human").click()
    assert "was changed while you were editing" in tab.get_by_role("alert").inner_text()
    assert "Meanwhile." in site.agent.core.block("human").value


def test_both_memories_are_searched_with_scores(tab: Any, shared_site: Site) -> None:
    tab.goto(shared_site.page("search"))
    tab.get_by_label("Words or a question").fill("rye bread")
    tab.get_by_role("button", name="Search").click()
    first = tab.locator(".hits li").first.inner_text()
    assert "rye bread" in first.lower() and "score" in first and "relevance" in first
    tab.get_by_label("Archival memory").check()
    tab.get_by_label("Words or a question").fill("dogs railway")
    tab.get_by_role("button", name="Search").click()
    assert "rules.md" in tab.locator(".hits li").first.inner_text()
    tab.get_by_label("Words or a question").fill("zeppelin")
    tab.get_by_role("button", name="Search").click()
    assert "Nothing was found" in tab.locator("main").inner_text()


def test_the_page_follows_the_running_agent(site: Site, tab: Any) -> None:
    tab.goto(site.page("log"))
    tab.locator("#live", has_text="Live").wait_for()
    settings = site.memgpt.settings  # another program that has the same file open
    other = MemGPT(settings, store=SQLiteStore(settings.home / "memgpt.db"), embedder=None)
    other.load_agent("sam", model=ScriptedModel(["Good night, Ann."])).run(
        [events.user_message("Good night!", name="Ann")]
    )
    other.close()
    tab.get_by_text("Good night, Ann.").wait_for()
    assert "Updated" in tab.locator("#live").inner_text()


def test_what_is_being_edited_is_not_replaced(site: Site, tab: Any) -> None:
    tab.goto(site.page("memory"))
    tab.locator("#live", has_text="Live").wait_for()
    tab.get_by_text("Edit human").click()
    tab.get_by_label("The whole text of human").fill("half a sen")
    site.agent.core.append("human", "Meanwhile.")
    tab.locator("#live", has_text="has changed").wait_for()
    assert tab.get_by_label("The whole text of human").input_value() == "half a sen"


def test_usage_is_drawn(tab: Any, shared_site: Site) -> None:
    tab.goto(shared_site.page("usage"))
    for name, columns in (("tokens", 9), ("pressure", 9), ("cost", 9)):
        assert tab.locator(f".plot-{name} rect").count() == columns
    heights = [float(one.get_attribute("height")) for one in tab.locator(".plot-tokens rect").all()]
    assert heights == sorted(heights) and heights[-1] == 160
    assert "31% of the window" in tab.locator(".plot-pressure").inner_text()
    assert "$0.0355" in tab.locator(".figures").inner_text()


def test_turns_are_undone_and_things_forgotten_and_the_rest_exported(site: Site, tab: Any) -> None:
    tab.goto(site.page("manage"))
    tab.get_by_role("button", name="Undo").click()
    assert site.agent.store.turns(site.agent.id) == 5  # the box is not ticked
    tab.get_by_label("I know that there is no way back").check()
    tab.get_by_role("button", name="Undo").click()
    tab.get_by_text("Undone: 1 turns").wait_for()
    assert site.agent.store.turns(site.agent.id) == 4
    tab.get_by_label("About").fill("Lena")
    tab.get_by_role("button", name="Look for it").click()
    tab.get_by_role("button", name="Forget all of it").click()
    tab.get_by_text("Forgotten:").wait_for()
    assert "Lena" not in json.dumps(dict(site.agent.store.dump(site.agent.id)))
    with tab.expect_download() as download:
        tab.get_by_role("link", name="Download the file").click()
    exported = json.loads(download.value.path().read_text(encoding="utf-8"))
    assert exported["name"] == "sam" and "Lena" not in json.dumps(exported)


def test_a_turn_is_reverted_from_its_change(site: Site, tab: Any) -> None:
    tab.goto(site.page("changes"))
    tab.get_by_role("button", name="Take back what turn 2 wrote").click()
    assert "changed since" in tab.get_by_role("alert").inner_text()
    tab.get_by_role("button", name="Take back what turn 4 wrote").click()
    tab.get_by_text("Taken back: 2 lines of turn 4").wait_for()
    assert "visits on a Saturday" in site.agent.core.block("human").value


def test_a_past_prompt_is_given_byte_by_byte(tab: Any, shared_site: Site) -> None:
    tab.goto(shared_site.page("turn/3"))
    assert tab.locator("main").inner_text().count("Equal to the byte") == 2
    given = tab.request.get(shared_site.page("turn/3/prompt/2"))
    model = shared_site.agent.model
    assert given.text() == as_json(model.calls[5])  # type: ignore[attr-defined]


def test_everything_is_readable_without_javascript(chromium: Any, shared_site: Site) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(shared_site.page("memory"))
    assert "Ann moved to Port Anna" in page.locator("main").inner_text()
    page.get_by_role("link", name="Search").click()
    page.get_by_label("Words or a question").fill("Lena")
    page.get_by_role("button", name="Search").click()
    assert page.locator(".hits li").count() >= 2
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_wider_than_the_screen_or_hard_to_use(chromium: Any, shared_site: Site, scheme: Any) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    context = chromium.new_context(viewport={"width": 390, "height": 844}, color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    found = []
    for name in PAGES:
        page.goto(shared_site.page(name))
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        found += [f"{name}: {wider} px too wide"] * (wider > 0)
        for fault in axe.Axe().run(page, options=CHECKED[scheme]).response["violations"]:
            if fault["impact"] in ("serious", "critical"):
                found.append(f"{name}: {fault['id']}: {fault['nodes'][0]['html'][:200]}")
    context.close()
    assert not found
