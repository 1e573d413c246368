"""OpenAI's Responses API behind AutoGen's clients: the whole conversation goes out, and no result without its call."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from memgpt_autogen.groupchat.agent import MemGPTAgent
from memgpt_autogen.groupchat.responses_api import WholeConversation, is_stateful, to_items

from ..llm.conftest import Loopback
from .members import accepted, autogen, open_memgpt, user

pytestmark = [pytest.mark.groupchat, pytest.mark.contract("responses API")]


class Server:
    """Answers with a call of ``send_message``, and notes results whose call it was not shown."""

    def __init__(self, loopback: Loopback, calls: Any = ()) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.orphans: list[Any] = []
        self._ids, self._calls = itertools.count(1), list(calls)
        loopback.always["/v1/responses"] = self.answer

    def answer(self, body: dict[str, Any]) -> dict[str, Any]:
        self.bodies.append(body)
        shown = {item.get("call_id") for item in body["input"] if item.get("type") == "function_call"}
        results = [item for item in body["input"] if item.get("type") == "function_call_output"]
        self.orphans += [item for item in results if item["call_id"] not in shown]
        number = next(self._ids)
        name, arguments = self._calls.pop(0) if self._calls else ("send_message", f'{{"message": "reply {number}"}}')
        call = {"id": "fc", "call_id": f"call_{number}", "name": name, "arguments": arguments, "status": "completed"}
        details = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
        return {
            "id": f"resp_{number}",
            "object": "response",
            "created_at": 1,
            "status": "completed",
            "model": body["model"],
            "output": [{"type": "function_call", **call}],
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
            "usage": {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15, **details},
        }


def config(loopback: Loopback, kind: str = "responses") -> dict[str, Any]:
    entry = {"model": "gpt-4o", "api_key": "k", "base_url": f"{loopback.address}/v1", "api_type": kind}
    given = accepted({"config_list": [entry], "cache_seed": None})
    client = autogen.OpenAIWrapper(config_list=[entry])._clients[0]
    if not is_stateful(client):
        pytest.skip(f"this AutoGen has no client of {kind}")
    return given


def look(x: str) -> str:
    return x


@pytest.mark.parametrize("kind", ["responses", "responses_v2"])
def test_a_conversation_goes_on_after_a_rebuilt_client_and_in_a_new_process(
    tmp_path: Path, loopback: Loopback, kind: str
) -> None:
    given, server = config(loopback, kind), Server(loopback)
    for number in range(2):
        home = open_memgpt(tmp_path, tmp_path / "memory.db")
        sam, ann = MemGPTAgent("sam", llm_config=given, memgpt=home), user(default_auto_reply="go on")
        ann.initiate_chat(sam, message=f"hello {number}", max_turns=2, silent=True)
        autogen.register_function(look, caller=sam, executor=ann, description="Look.")  # rebuilds the client
        result = ann.initiate_chat(sam, message="and now?", max_turns=1, silent=True)
        assert result.summary == f"reply {len(server.bodies)}"
        home.close()
    assert len(server.bodies) == 6 and server.orphans == []
    words = str(server.bodies[-1]["input"])
    assert all(said in words for said in ("hello 0", "hello 1", "go on", "reply 1", "reply 5"))
    assert not any(body.get("previous_response_id") for body in server.bodies)


def test_a_tool_s_result_stands_behind_its_call(tmp_path: Path, loopback: Loopback) -> None:
    server = Server(loopback, [("add", '{"a": 1}')])
    home = open_memgpt(tmp_path)
    sam, ann = MemGPTAgent("sam", llm_config=config(loopback), memgpt=home), user()

    def add(a: int) -> str:
        return str(a + 1)

    autogen.register_function(add, caller=sam, executor=ann, description="Add.")
    assert ann.initiate_chat(sam, message="Add.", max_turns=2, silent=True).summary == "reply 2"
    types = [item.get("type") for item in server.bodies[1]["input"]]
    place = types.index("function_call")
    assert types[place + 1] == "function_call_output" and server.bodies[1]["input"][place + 1]["output"] == "2"
    assert server.orphans == []
    home.close()


def test_the_client_of_the_user_is_left_as_it_is(loopback: Loopback) -> None:
    client = autogen.OpenAIWrapper(**config(loopback))._clients[0]
    client.previous_response_id = "resp_9"
    assert is_stateful(client) and WholeConversation(client).previous_response_id is None
    assert client.previous_response_id == "resp_9"


@pytest.mark.parametrize(
    ("message", "items"),
    [
        ({"role": "user", "content": "Hi."}, [{"role": "user", "content": [{"type": "input_text", "text": "Hi."}]}]),
        (
            {
                "role": "assistant",
                "content": "Yes.",
                "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{}"}}],
            },
            [
                {"role": "assistant", "content": [{"type": "output_text", "text": "Yes."}]},
                {"type": "function_call", "call_id": "1", "name": "f", "arguments": "{}"},
            ],
        ),
        ({"role": "assistant", "content": None}, []),
        (
            {"role": "tool", "tool_call_id": "1", "content": ""},
            [{"type": "function_call_output", "call_id": "1", "output": ""}],
        ),
        (
            {
                "role": "user",
                "content": [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "u"}}],
            },
            [
                {
                    "role": "user",
                    "content": [{"type": "input_text", "text": "a"}, {"type": "input_image", "image_url": "u"}],
                }
            ],
        ),
    ],
)
def test_messages_become_items(message: dict[str, Any], items: list[dict[str, Any]]) -> None:
    assert to_items([message]) == items
