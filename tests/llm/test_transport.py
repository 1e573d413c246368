"""HTTP to a model's server: what is retried, and what the errors say."""

from __future__ import annotations

import socket
import time
import traceback
from typing import Any

import pytest

from memgpt_autogen.errors import ModelRequestError, ModelServerError
from memgpt_autogen.llm.transport import Broken, Transport

from .conftest import Answer, Loopback

SECRET = "sk-very-secret"


def transport(loopback: Loopback, **options: Any) -> Transport:
    defaults: dict[str, Any] = {"timeout": 5.0, "backoff": 0.01, "api_key": SECRET}
    return Transport(loopback.address, **(defaults | options))


def test_json_goes_out_and_comes_back(loopback: Loopback) -> None:
    loopback.script = [Answer({"a": 1}), Answer([2])]
    to = transport(loopback)
    assert to.post("/x", {"q": "é"}) == {"a": 1} and to.get("/y") == [2]
    first, second = loopback.requests
    assert (first.method, first.path, first.body) == ("POST", "/x", {"q": "é"})
    assert first.headers["Authorization"] == f"Bearer {SECRET}" and second.method == "GET"
    to.close()


@pytest.mark.parametrize("fault", [Answer({}, 429), Answer("oops", 500), Answer({}, 503), Answer(drop=True)])
def test_passing_faults_are_tried_again(loopback: Loopback, fault: Answer) -> None:
    loopback.script = [fault, fault, Answer({"ok": True})]
    assert transport(loopback).post("/x", {}) == {"ok": True}
    assert len(loopback.requests) == 3


def test_a_lasting_fault_is_told_with_the_number_of_attempts(loopback: Loopback) -> None:
    loopback.script = [Answer({"error": {"message": f"broken, {SECRET}"}}, 500)] * 4
    with pytest.raises(ModelServerError, match=r"/x answered 500: broken, \*\*\*\. Tried 4 times") as caught:
        transport(loopback).post("/x", {})
    assert caught.value.retry and len(loopback.requests) == 4 and SECRET not in str(caught.value)


def test_retry_after_is_heeded(loopback: Loopback) -> None:
    loopback.script = [Answer({}, 429, headers={"Retry-After": "0.3"}), Answer({})]
    start = time.monotonic()
    transport(loopback).post("/x", {})
    assert time.monotonic() - start >= 0.3


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "may not know a setting"),
        (401, "API key"),
        (403, "API key"),
        (404, "right address"),
        (422, "setting"),
    ],
)
def test_a_refusal_is_not_tried_again(loopback: Loopback, status: int, words: str) -> None:
    loopback.script = [Answer({"error": {"message": "no"}}, status)]
    with pytest.raises(ModelRequestError, match=words) as caught:
        transport(loopback).post("/x", {})
    assert len(loopback.requests) == 1 and loopback.address in str(caught.value) and "no" in str(caught.value)


def test_hints_say_what_to_do_about_a_known_error(loopback: Loopback) -> None:
    loopback.script = [Answer({"error": {"type": "too_long", "message": "9001 tokens"}}, 400)]
    with pytest.raises(ModelRequestError, match=r"9001 tokens\. Shorten it"):
        transport(loopback, hints={"too_long": "Shorten it."}).post("/x", {})


def test_a_web_page_is_no_answer(loopback: Loopback) -> None:
    loopback.script = [
        Answer("<html>hello</html>", content_type="text/html"),
        Answer("<html>", 404, "text/html"),
    ]
    with pytest.raises(ModelServerError, match="web page instead of JSON"):
        transport(loopback).get("/x")
    with pytest.raises(ModelRequestError, match=r"answered 404\. Is this") as caught:
        transport(loopback).get("/x")
    assert "<html>" not in str(caught.value)


def test_a_slow_answer_is_waited_for_twice_at_most(loopback: Loopback) -> None:
    loopback.script = [Answer({}, delay=0.6)] * 4
    start = time.monotonic()
    with pytest.raises(ModelServerError, match=r"in 0\.2 s") as caught:
        transport(loopback, timeout=0.2).post("/x", {})
    assert caught.value.retry and time.monotonic() - start < 1.0 and len(loopback.requests) == 2


def test_a_dead_server_is_told_at_once_in_one_sentence_about_it() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    start = time.monotonic()
    with pytest.raises(ModelServerError, match=rf"^Cannot reach {address}: .*running.*\? Turn it on\.$") as caught:
        Transport(address, hints={"down": "Turn it on."}).get("/tokenize")
    assert caught.value.retry and time.monotonic() - start < 0.4
    shown = "".join(traceback.format_exception(caught.value))
    assert "httpx" not in shown.splitlines()[-1] and "direct cause" not in shown and "During handling" not in shown


def test_a_server_that_was_up_is_waited_for(loopback: Loopback) -> None:
    loopback.script = [Answer({})]
    to = transport(loopback)
    to.get("/x")
    loopback.close()
    with pytest.raises(ModelServerError, match=r"Cannot reach .* \(tried 4 times\)"):
        to.get("/x")


def test_an_address_that_is_none() -> None:
    with pytest.raises(ModelServerError, match="not an address"):
        Transport("nonsense://x").get("/x")


def test_the_address_is_asked_for_anew(loopback: Loopback) -> None:
    loopback.script = [Answer({}), Answer({})]
    asked: list[int] = []

    def address() -> str:
        asked.append(1)
        return loopback.address

    to = Transport(address)
    to.get("/x"), to.get("/x")
    assert len(asked) == 2


def test_passwords_are_not_shown() -> None:
    assert Transport("http://user:pw@host:1/x?key=2").where == "http://***@host:1/x?key=***"


def test_a_key_does_not_go_along_to_another_server(loopback: Loopback) -> None:
    other = Loopback()
    loopback.script = [Answer({}, 302, headers={"Location": f"{other.address}/y"})]
    other.script = [Answer({"ok": True})]
    assert transport(loopback).get("/x") == {"ok": True}
    assert SECRET in str(loopback.requests[0].headers) and SECRET not in str(other.requests[0].headers)
    other.close()


def test_a_500_is_not_tried_again_where_the_request_may_be_its_reason(loopback: Loopback) -> None:
    loopback.script = [Answer("oops", 500)] * 2
    with pytest.raises(Broken) as caught:
        transport(loopback).post("/x", {}, patient=False)
    assert caught.value.status == 500 and len(loopback.requests) == 1
