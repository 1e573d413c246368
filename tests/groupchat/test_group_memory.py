"""What an agent remembers of two people in a group chat, on the preset for local models."""

from __future__ import annotations

from autogen import ConversableAgent, GroupChat, GroupChatManager

from memgpt_autogen import MemGPT, MemGPTAgent

from ..guides.conftest import Talker, human


def talk(core_agent: object, tom_says: list[str], priya_says: list[str]) -> None:
    """Tom, the agent and Priya speak in turn until nobody has anything left to say."""
    sam = MemGPTAgent("sam", agent=core_agent)
    tom, priya = (ConversableAgent(name, llm_config=False, human_input_mode="NEVER") for name in ("Tom", "Priya"))
    for person, script in ((tom, tom_says[1:]), (priya, priya_says)):
        person.register_reply([ConversableAgent, None], lambda *_, left=script, **__: (True, left.pop(0)))
    rounds = 2 * len(tom_says) + len(priya_says)
    group = GroupChat([tom, sam, priya], [], max_round=rounds, speaker_selection_method="round_robin")
    tom.initiate_chat(GroupChatManager(group, llm_config=False), message=tom_says[0], silent=True)


def test_each_persons_facts_are_saved_under_their_name_and_found_for_the_other(memgpt: MemGPT) -> None:
    model = Talker(
        ["Hello Tom.", "Priya does.", "Sorry, I did not hear.", "Priya does the accounts."],
        [
            ["Tom is in charge of logistics.", "Tom delivers bread to forty shops."],
            ["Priya does the accounts.", "Tom does the accounts."],
        ],
    )
    core = memgpt.create_agent({"name": "sam", "preset": "memgpt_local"}, model=model)
    talk(
        core,
        ["Hello, I'm in charge of logistics. We deliver bread to forty shops.", "Who does what?"],
        ["And I do the accounts."],
    )
    memgpt.settle()
    known = human(core)
    assert known[:2] == ["Tom is in charge of logistics.", "Tom delivers bread to forty shops."]
    assert known[2:] == ["Priya does the accounts."]  # not Tom: it was Priya who said so
    talk(core, ["Who of us does the accounts?"], [])
    asked = "From memory:\n- Priya does the accounts.\n\nTom: Who of us does the accounts?"
    assert model.prompts[-1][-1] == asked
