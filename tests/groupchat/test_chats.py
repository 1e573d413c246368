"""Chats of two: what the memory agent hears, says and shows."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from memgpt_autogen.client import MemGPT
from memgpt_autogen.errors import AgentBusy
from memgpt_autogen.messages import ToolCall

from .members import IOStream, Screen, autogen, heard, log, member, shown, speech, talker, user

pytestmark = pytest.mark.groupchat


@pytest.mark.contract("ingestion")
def test_the_agent_hears_each_message_once_and_answers_each(memgpt: MemGPT) -> None:
    sam, model = member(memgpt, ["one", "two", "three"])
    result = talker("ann", ["b", "c"]).initiate_chat(sam, message="a", max_turns=3, silent=True)
    assert [message["content"] for message in result.chat_history] == ["a", "one", "b", "two", "c", "three"]
    assert heard(sam) == [("ann", "a"), ("ann", "b"), ("ann", "c")]
    assert len(model.calls) == 3


@pytest.mark.contract("summaries")
def test_inner_thoughts_are_never_in_the_reply(memgpt: MemGPT) -> None:
    sam, _ = member(memgpt, [speech("Hello.", "I do not trust him.")])
    result = user().initiate_chat(sam, message="hi", max_turns=1, silent=True)
    assert result.chat_history[-1]["content"] == "Hello." and result.summary == "Hello."
    assert "trust" not in str(result.chat_history)


def test_several_messages_in_one_turn_are_one_reply(memgpt: MemGPT) -> None:
    calls = [ToolCall("send_message", {"message": "First."}), ToolCall("send_message", {"message": "Second."})]
    sam, _ = member(memgpt, [calls])
    result = user().initiate_chat(sam, message="hi", max_turns=1, silent=True)
    assert result.chat_history[-1]["content"] == "First.\nSecond."


@pytest.mark.contract("ingestion")
@pytest.mark.parametrize("clear", [True, False])
def test_two_chats_in_a_row_lose_nothing_and_repeat_nothing(memgpt: MemGPT, clear: bool) -> None:
    sam, _ = member(memgpt, ["one", "two", "three", "four"])
    ann = talker("ann", ["b", "a"])
    ann.initiate_chat(sam, message="a", max_turns=2, silent=True)
    ann.initiate_chat(sam, message="b", max_turns=2, silent=True, clear_history=clear)
    assert [text for _, text in heard(sam)] == ["a", "b", "b", "a"]


@pytest.mark.contract("ingestion")
@pytest.mark.parametrize("clear", [True, False])
def test_the_same_words_twice_are_two_messages(memgpt: MemGPT, clear: bool) -> None:
    sam, _ = member(memgpt, ["one", "two", "three"])
    ann = talker("ann", ["a"])
    ann.initiate_chat(sam, message="a", max_turns=2, silent=True)
    ann.initiate_chat(sam, message="a", max_turns=1, silent=True, clear_history=clear)
    assert heard(sam) == [("ann", "a")] * 3


@pytest.mark.contract("clear_history")
def test_words_unread_when_a_chat_is_cleared_are_not_lost(memgpt: MemGPT) -> None:
    sam, model = member(memgpt, ["one", "two"])
    ann = talker("ann")
    ann.initiate_chat(sam, message="a", max_turns=1, silent=True)
    ann.send("The code is 4711.", sam, request_reply=False, silent=True)
    ann.initiate_chat(sam, message="b", max_turns=1, silent=True, clear_history=True)
    assert [text for _, text in heard(sam)] == ["a", "The code is 4711.", "b"]
    assert len(model.calls) == 2


@pytest.mark.contract("own messages")
def test_what_the_agent_itself_opens_a_chat_with_is_not_news_to_it(memgpt: MemGPT) -> None:
    sam, model = member(memgpt, ["Nice to meet you, Bob."])
    sam.initiate_chat(talker("ann", ["Bob"]), message="What is your name?", max_turns=2, silent=True)
    assert heard(sam) == [("ann", "Bob")]
    assert "What is your name?" in shown(model.calls[0])  # or it could not make sense of the answer


@pytest.mark.contract("termination")
def test_terminate_matches_and_ends_the_chat(memgpt: MemGPT) -> None:
    sam, _ = member(memgpt, ["Done. TERMINATE"])
    ann = talker("ann", ["never said"], is_termination_msg=lambda message: message["content"].endswith("TERMINATE"))
    result = ann.initiate_chat(sam, message="a", silent=True)
    assert [message["content"] for message in result.chat_history] == ["a", "Done. TERMINATE"]


@pytest.mark.contract("termination")
def test_a_termination_message_to_the_agent_ends_the_chat_without_asking_a_person(
    memgpt: MemGPT, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("asked a person"))
    sam, model = member(memgpt, ["one"], is_termination_msg=lambda message: message["content"] == "TERMINATE")
    result = talker("ann", ["TERMINATE"]).initiate_chat(sam, message="a", silent=True)
    assert [message["content"] for message in result.chat_history] == ["a", "one", "TERMINATE"]
    assert len(model.calls) == 1


@pytest.mark.contract("termination")
def test_max_consecutive_auto_reply_holds(memgpt: MemGPT) -> None:
    sam, model = member(memgpt, ["one", "two"], max_consecutive_auto_reply=2, human_input_mode="NEVER")
    result = talker("ann", ["b", "c", "d"]).initiate_chat(sam, message="a", silent=True)
    assert [message["content"] for message in result.chat_history] == ["a", "one", "b", "two", "c"]
    assert len(model.calls) == 2


@pytest.mark.contract("ingestion")
def test_asked_to_speak_again_it_speaks_and_hears_nothing_twice(memgpt: MemGPT) -> None:
    sam, _ = member(memgpt, ["one", "two"])
    ann = talker("ann")
    ann.initiate_chat(sam, message="a", max_turns=1, silent=True)
    assert sam.generate_reply(sender=ann) == "two"
    assert heard(sam) == [("ann", "a")]


def test_asked_for_words_it_speaks_even_if_its_model_would_rather_not(memgpt: MemGPT) -> None:
    quiet = ToolCall("core_memory_append", {"name": "human", "content": "Quiet.", "request_heartbeat": False})
    sam, _ = member(memgpt, ["one", quiet, "two", quiet, "three"])
    ann = talker("ann")
    ann.initiate_chat(sam, message="a", max_turns=1, silent=True)
    assert sam.generate_reply(sender=ann) == "two"
    assert sam.generate_reply(messages=[{"role": "user", "content": ""}], sender=ann) == "three"


def ask_back(sam: Any, *, by_loop: bool) -> str:
    """Asks an agent something."""
    ann = talker("ann")
    if by_loop:
        asyncio.run(ann.a_initiate_chat(sam, message="again?", max_turns=1, silent=True))
    else:
        ann.initiate_chat(sam, message="again?", max_turns=1, silent=True)
    return "unreachable"


@pytest.mark.contract("nested chats")
@pytest.mark.timeout(30)
@pytest.mark.parametrize("by_loop", [False, True])
def test_a_chat_back_to_the_agent_from_inside_its_turn_is_refused(memgpt: MemGPT, by_loop: bool) -> None:
    members: list[Any] = []

    def consult() -> str:
        """Asks for advice."""
        return ask_back(members[0], by_loop=by_loop)

    sam, _ = member(memgpt, [ToolCall("consult"), "Here I am."])
    sam.core.tools.add(consult)
    members.append(sam)
    with pytest.raises(AgentBusy, match="nested chat"):
        user().initiate_chat(sam, message="hi", max_turns=1, silent=True)
    result = user().initiate_chat(sam, message="still there?", max_turns=1, silent=True)
    assert result.chat_history[-1]["content"] == "Here I am."
    assert [text for name, text in heard(sam) if name == "user"] == ["hi", "still there?"]


@pytest.mark.contract("nested chats")
def test_a_nested_chat_of_the_agent_s_own_is_part_of_its_memory(memgpt: MemGPT) -> None:
    sam, _ = member(memgpt, ["Thank you."])
    ann, asker = talker("ann", ["Ask Bob.", "Welcome."]), user()
    sam.register_nested_chats([{"recipient": ann, "max_turns": 2, "summary_method": "last_msg"}], trigger=asker)
    result = asker.initiate_chat(sam, message="hi", max_turns=1, silent=True)
    assert heard(sam) == [("ann", "Ask Bob.")]
    assert result.chat_history[-1]["content"] == "Welcome."


@pytest.mark.contract("clear_history")
def test_clearing_or_resetting_leaves_memory_alone(memgpt: MemGPT) -> None:
    sam, model = member(memgpt, ["one", "two"])
    ann = talker("ann")
    ann.initiate_chat(sam, message="My cat is Tom.", max_turns=1, silent=True)
    sam.reset()
    sam.clear_history()
    assert sam.chat_messages[ann] == []
    ann.initiate_chat(sam, message="Who is Tom?", max_turns=1, silent=True)
    assert "My cat is Tom." in shown(model.calls[1])


@pytest.mark.contract("reset")
@pytest.mark.contract("cost")
def test_usage_is_counted_for_models_that_we_call_ourselves(memgpt: MemGPT) -> None:
    sam, _ = member(memgpt, ["one", "two"])
    ann = talker("ann")
    for text in ("a", "b"):
        ann.initiate_chat(sam, message=text, max_turns=1, silent=True)
    assert sam.get_total_usage()["scripted"]["completion_tokens"] == 20
    sam.reset()
    assert not sam.get_total_usage()


@pytest.mark.contract("silent chats")
def test_a_silent_chat_prints_nothing(memgpt: MemGPT) -> None:
    show = {"show_inner_thoughts": True, "show_function_outputs": True}
    sam, _ = member(memgpt, [speech("one", "Hm.")], silent=True, interface_kwargs=show)
    ann, _ = member(memgpt, [speech("one", "Hm.")], "ann")
    with IOStream.set_default(Screen()):
        for agent in (sam, ann):
            user(silent=True).initiate_chat(agent, message="a", max_turns=1, silent=True)
        printed = IOStream.get_default().text
    assert "Hm." not in printed and "one" not in printed


@pytest.mark.contract("events")
def test_inner_thoughts_are_shown_to_who_asks_for_them(memgpt: MemGPT) -> None:
    sam, _ = member(memgpt, [speech("one", "Hm.")], interface_kwargs={"show_inner_thoughts": True})
    with IOStream.set_default(Screen()):
        result = user().initiate_chat(sam, message="a", max_turns=1)
        printed = IOStream.get_default().text
    assert "sam (thinks): Hm." in printed and "one" in printed
    assert result.summary == "one"


@pytest.mark.contract("sequential chats")
def test_sequential_chats_carry_over(memgpt: MemGPT) -> None:
    sam, _ = member(memgpt, ["The sky is blue.", "As I said: blue."])
    ann = user()
    chat = {"recipient": sam, "max_turns": 1, "summary_method": "last_msg", "silent": True, "clear_history": True}
    results = ann.initiate_chats([{**chat, "message": "The sky?"}, {**chat, "message": "Once more?"}])
    assert [result.summary for result in results] == ["The sky is blue.", "As I said: blue."]
    assert heard(sam) == [("user", "The sky?"), ("user", "Once more?\nContext: \nThe sky is blue.")]


@pytest.mark.contract("async")
def test_chats_at_once_run_side_by_side_and_leave_the_event_loop_free(memgpt: MemGPT) -> None:
    meeting, free = threading.Barrier(3, timeout=20), threading.Event()

    def answer(text: str) -> Any:
        def wait(*_: Any) -> str:
            meeting.wait()  # all three models are being asked at the same time
            assert free.wait(20)  # while the loop goes on
            return text

        return wait

    async def chats() -> list[str]:
        sams = [member(memgpt, [answer(f"I am {name}.")], name)[0] for name in ("ann", "bob", "sam")]
        running = [user().a_initiate_chat(sam, message="hi", max_turns=1, silent=True) for sam in sams]

        async def set_free() -> None:
            free.set()

        results = await asyncio.gather(*running, set_free())
        return [result.summary for result in results if result is not None]

    assert asyncio.run(chats()) == ["I am ann.", "I am bob.", "I am sam."]


@pytest.mark.contract("several chats")
def test_chats_at_once_with_one_agent_wait_for_each_other(memgpt: MemGPT) -> None:
    sam, _ = member(memgpt, ["one", "two", "three"])

    async def chats() -> list[str]:
        peers = [talker(name) for name in ("ann", "bob", "cem")]
        running = [peer.a_initiate_chat(sam, message=peer.name, max_turns=1, silent=True) for peer in peers]
        return [result.summary for result in await asyncio.gather(*running)]

    assert sorted(asyncio.run(chats())) == ["one", "three", "two"]
    assert sorted(heard(sam)) == [("ann", "ann"), ("bob", "bob"), ("cem", "cem")]
    assert [message.kind for message in log(sam)].count("reply") == 3


@pytest.mark.contract("run")
@pytest.mark.skipif(not hasattr(autogen.ConversableAgent, "run"), reason="this AutoGen has no run()")
def test_run_in_a_second_thread_works(memgpt: MemGPT) -> None:
    sam, _ = member(memgpt, ["one"])
    response = user().run(sam, message="hi", max_turns=1, user_input=False)
    response.process()
    assert response.summary == "one" and heard(sam) == [("user", "hi")]


@pytest.mark.contract("silent chats")
def test_a_silent_chat_shows_no_thoughts_either(memgpt: MemGPT) -> None:
    sam, _ = member(memgpt, [speech("one", "Hm."), speech("two", "Well.")], interface_kwargs={"debug": True})
    with IOStream.set_default(Screen()):
        user().initiate_chat(sam, message="a", max_turns=1, silent=True)
        user().initiate_chat(sam, message="a", max_turns=1)
        printed = IOStream.get_default().text
    assert "Hm." not in printed and "Well." in printed
