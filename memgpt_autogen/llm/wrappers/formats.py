"""The table of prompt formats."""

from __future__ import annotations

from dataclasses import replace

from .base import Wrapper

#: The reminder before each reply in the formats named ``-hints``. It is about the format only: when it mentioned
#: send_message, Qwen2.5-Coder 1.5B called little else (15 of 66 cases right, 56 without a reminder).
HINT = (
    "Reminder: choose the function that fits the last message best, and reply with that one call as JSON: "
    '{"function": NAME, "params": {...}}'
)

#: Qwen, SmolLM2, Hermes and many more.
CHATML = Wrapper(
    name="chatml",
    system=("<|im_start|>system\n", "<|im_end|>\n"),
    user=("<|im_start|>user\n", "<|im_end|>\n"),
    assistant=("<|im_start|>assistant\n", "<|im_end|>\n"),
    tool=("<|im_start|>tool\n", "<|im_end|>\n"),
    stop=("<|im_end|>", "<|im_start|>"),
)

#: Meta's Llama 3 and later; ``ipython`` is its role for function results. Servers add the begin-of-text token.
LLAMA3 = Wrapper(
    name="llama3",
    system=("<|start_header_id|>system<|end_header_id|>\n\n", "<|eot_id|>"),
    user=("<|start_header_id|>user<|end_header_id|>\n\n", "<|eot_id|>"),
    assistant=("<|start_header_id|>assistant<|end_header_id|>\n\n", "<|eot_id|>"),
    tool=("<|start_header_id|>ipython<|end_header_id|>\n\n", "<|eot_id|>"),
    stop=("<|eot_id|>", "<|eom_id|>", "<|start_header_id|>"),
)

#: Airoboros (and Vicuna) write the roles as words. The introduction is that of its training data.
AIROBOROS = Wrapper(
    name="airoboros-l2-70b-2.1",
    system=("", "\n"),
    user=("USER: ", "\n"),
    assistant=("ASSISTANT: ", "\n"),
    tool=("FUNCTION RETURN: ", "\n"),
    stop=("\nUSER:", "\nFUNCTION RETURN:", "</s>"),
    intro=(
        "Please select the most suitable function and parameters from the list of available functions below, based on "
        'the ongoing conversation. Provide your response in JSON format: {"function": NAME, "params": {...}}. '
        "Available functions:"
    ),
)

ZEPHYR = Wrapper(
    name="zephyr-7B",
    system=("<|system|>\n", "</s>\n"),
    user=("<|user|>\n", "</s>\n"),
    assistant=("<|assistant|>\n", "</s>\n"),
    tool=("<|user|>\nFUNCTION RETURN:\n", "</s>\n"),
    stop=("</s>", "<|user|>", "<|system|>", "<|assistant|>"),
)

#: Mistral, Mixtral and Llama 2. They have no system role; the user's is used.
MISTRAL = Wrapper(
    name="mistral",
    system=("[INST] ", " [/INST]"),
    user=("[INST] ", " [/INST]"),
    assistant=(" ", "</s>"),
    tool=("[INST] FUNCTION RETURN:\n", " [/INST]"),
    stop=("</s>", "[INST]"),
)

#: Google's Gemma, without a system role too.
GEMMA = Wrapper(
    name="gemma",
    system=("<start_of_turn>user\n", "<end_of_turn>\n"),
    user=("<start_of_turn>user\n", "<end_of_turn>\n"),
    assistant=("<start_of_turn>model\n", "<end_of_turn>\n"),
    tool=("<start_of_turn>user\nFUNCTION RETURN:\n", "<end_of_turn>\n"),
    stop=("<end_of_turn>", "<start_of_turn>"),
)

#: Microsoft's Phi 3 and later small ones.
PHI3 = Wrapper(
    name="phi3",
    system=("<|system|>\n", "<|end|>\n"),
    user=("<|user|>\n", "<|end|>\n"),
    assistant=("<|assistant|>\n", "<|end|>\n"),
    tool=("<|user|>\nFUNCTION RETURN:\n", "<|end|>\n"),
    stop=("<|end|>", "<|user|>", "<|system|>", "<|assistant|>"),
)

#: DeepSeek R1 and V3, and the models distilled from R1. The servers add the token that begins a text.
DEEPSEEK = Wrapper(
    name="deepseek",
    system=("", ""),
    user=("<｜User｜>", ""),
    assistant=("<｜Assistant｜>", "<｜end▁of▁sentence｜>"),
    tool=("<｜User｜>FUNCTION RETURN:\n", ""),
    stop=("<｜end▁of▁sentence｜>", "<｜User｜>"),
)

#: OpenAI's gpt-oss: messages in channels. The reply is begun in the final one, past the reasoning.
HARMONY = Wrapper(
    name="harmony",
    system=("<|start|>developer<|message|># Instructions\n\n", "<|end|>"),
    user=("<|start|>user<|message|>", "<|end|>"),
    assistant=("<|start|>assistant<|channel|>final<|message|>", "<|end|>"),
    tool=("<|start|>user<|message|>FUNCTION RETURN:\n", "<|end|>"),
    stop=("<|return|>", "<|end|>", "<|call|>", "<|start|>"),
)

ROWS = (
    CHATML,
    replace(CHATML, name="chatml-hints", hint=HINT),
    replace(CHATML, name="chatml-noforce", outside=True),
    LLAMA3,
    replace(LLAMA3, name="llama3-hints", hint=HINT),
    AIROBOROS,
    # Results as user messages: models that never saw the role ``tool`` in training understand them better.
    replace(CHATML, name="dolphin-2.1-mistral-7b", tool=("<|im_start|>user\nFUNCTION RETURN:\n", "<|im_end|>\n")),
    ZEPHYR,
    MISTRAL,
    GEMMA,
    PHI3,
    DEEPSEEK,
    HARMONY,
)
