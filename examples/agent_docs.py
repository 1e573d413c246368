"""Ask a PDF in a group chat: it is loaded once, attached to an agent, and the answers name file and page.

    python examples/agent_docs.py                                        a PDF of 15 pages, made on the spot (fpdf2)
    python examples/agent_docs.py paper.pdf --ask "What was measured?"   a PDF, or another document, of your own

Which model: BACKEND_TYPE and OPENAI_API_BASE name a local server, OPENAI_API_KEY means OpenAI, else a small model runs
on this machine. Run it again: the source is there already, and the agent remembers. MEMGPT_HOME says where.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from memgpt_autogen import MemGPT, MemGPTError, create_memgpt_autogen_agent_from_config

HERE = Path(__file__).resolve().parent
QUESTIONS = (
    "Who designed the viaduct over the river Tamm?",
    "How many arches does the viaduct have?",
    "What does a violet lantern mean?",
    "What is the snow plough called?",
)


def make_pdf(path: Path, text: str) -> Path:
    """A PDF with a page for each chapter of a Markdown text."""
    try:
        from fpdf import FPDF
    except ImportError:
        sys.exit("Making a PDF takes fpdf2: pip install fpdf2. Or name a document: python examples/agent_docs.py FILE")
    pdf = FPDF()
    for chapter in text.split("# ")[1:]:
        title, _, body = chapter.partition("\n")
        pdf.add_page()
        pdf.set_font("Helvetica", style="B", size=18)
        pdf.multi_cell(0, 14, title, new_x="LMARGIN", new_y="NEXT")
        pdf.set_font("Helvetica", size=12)
        pdf.multi_cell(0, 7, body.strip(), new_x="LMARGIN", new_y="NEXT")
    pdf.output(str(path))
    return path


def load(document: Path, name: str) -> None:
    """Load it, or bring up to date what was loaded of it before."""
    memgpt = MemGPT()
    try:
        print(memgpt.load_data(name, "directory", input_files=[document]))
    finally:
        memgpt.close()


def ask(source: str, questions: Sequence[str]) -> list[str]:
    """A group chat of someone with questions, the agent that has the document, and a listener; the agent's answers."""
    from autogen import ConversableAgent, GroupChat, GroupChatManager

    librarian = create_memgpt_autogen_agent_from_config(
        "Librarian",
        system_message="I answer questions from the documents that are attached to me.",
        interface_kwargs={"show_function_outputs": True},
    )
    librarian.attach(source)
    rest = iter(questions[1:])
    reader, listener = (
        ConversableAgent(name, llm_config=False, human_input_mode="NEVER", code_execution_config=False)
        for name in ("Reader", "Listener")
    )
    reader.register_reply([ConversableAgent, None], lambda *_, **__: (True, next(rest)), position=0)
    listener.register_reply([ConversableAgent, None], lambda *_, **__: (True, "I see."), position=0)
    group = GroupChat(
        agents=[reader, librarian, listener],
        messages=[],
        max_round=3 * len(questions) - 1,
        speaker_selection_method="round_robin",
    )
    reader.initiate_chat(GroupChatManager(group, llm_config=False), message=questions[0])
    return [message["content"] for message in group.messages if message["name"] == "Librarian"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("document", nargs="?", type=Path, help="a PDF or another document")
    parser.add_argument("--ask", action="append", default=[], help="a question; may be given several times")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        document = options.document
        if document is None:
            text = (HERE / "island_railway.md").read_text(encoding="utf-8")
            document = make_pdf(Path(folder) / "island_railway.pdf", text)
        load(document, document.stem)
    own = options.document is not None
    ask(document.stem, options.ask or (["What is this document about?"] if own else QUESTIONS))


if __name__ == "__main__":
    try:
        main()
    except MemGPTError as error:
        sys.exit(f"\n{error}")
