"""Other memories for agents beside this one: what each installs, its import, and the fixed part of its prompt.

    python benchmarks/peers.py [NAME ...]

Each is installed from the package index into an environment of its own, which is removed afterwards. Imports are timed
three times, the best counts; without a network where ``unshare`` can take it away, since some of them report their use
when they are imported. The fixed part of pymemgpt's prompt is its system prompt and the schemas of its functions, in
tokens of cl100k; that of this package is printed by ``benchmarks/prompt_tokens.py``.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: Name -> what pip installs, and the import that a program begins with.
PEERS = {
    "memgpt-autogen": ([str(ROOT)], "from memgpt_autogen import MemGPT"),
    "memgpt-autogen[autogen,local]": ([f"{ROOT}[autogen,local]"], "from memgpt_autogen import MemGPTAgent"),
    "pymemgpt": (["pymemgpt==0.2.6"], "from memgpt.agent import Agent"),
    "Teachability": (
        ["ag2[openai,teachable]==0.9.10"],
        "from autogen.agentchat.contrib.capabilities.teachability import Teachability",
    ),
    "Mem0": (["mem0ai==2.2.1"], "from mem0 import Memory"),
    "Letta": (["letta==0.34.12"], "import letta_code"),
}
_PYMEMGPT_PROMPT = """
import json, pathlib, yaml, memgpt
from memgpt.functions.functions import load_all_function_sets
from memgpt.prompts.gpt_system import get_system_text
preset = yaml.safe_load(open(pathlib.Path(memgpt.__file__).parent / "presets/examples/memgpt_chat.yaml"))
functions = load_all_function_sets()
schemas = [functions[name]["json_schema"] for name in preset["functions"]]
print(json.dumps([get_system_text(preset["system_prompt"]), json.dumps(schemas)]))
"""
_TIMED = "import time; begun = time.perf_counter(); {}; print(time.perf_counter() - begun)"


def measure(packages: list[str], first: str) -> tuple[int, int, str]:
    """Distributions, megabytes of files, and the import's seconds or its error."""
    folder = Path(tempfile.mkdtemp())
    try:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        python = folder / "bin" / "python"
        subprocess.run([python, "-m", "pip", "uninstall", "-q", "-y", "setuptools"], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *packages], check=True)
        site = next((folder / "lib").glob("python*/site-packages"))
        files = [path for path in site.rglob("*") if path.is_file() and path.suffix != ".pyc"]
        files = [path for path in files if not path.relative_to(site).parts[0].startswith("pip")]
        count = len([*site.glob("*.dist-info")]) - 1  # without pip
        if "pymemgpt" in str(packages):
            _print_prompt(python, folder)
        return count, sum(path.stat().st_size for path in files) // 10**6, _import_time(python, first)
    finally:
        shutil.rmtree(folder)


def _print_prompt(python: Path, home: Path) -> None:
    import bpe_openai

    environ = {"HOME": str(home), "PATH": "/usr/bin:/bin"}
    command = [*_offline(), python, "-c", _PYMEMGPT_PROMPT]
    shown = subprocess.run(command, env=environ, capture_output=True, text=True, check=True).stdout
    encoding = bpe_openai.get_encoding("cl100k_base")
    system, functions = (len(encoding.encode(text)) for text in json.loads(shown.splitlines()[-1]))
    print(f"pymemgpt's prompt: system {system} tokens, functions {functions}", file=sys.stderr)


def _offline() -> list[str]:
    able = subprocess.run(["unshare", "-rn", "true"], capture_output=True).returncode == 0
    return ["unshare", "-rn"] if able else []


def _import_time(python: Path, first: str) -> str:
    times = []
    for _ in range(4):  # the first one compiles
        done = subprocess.run([*_offline(), python, "-c", _TIMED.format(first)], capture_output=True, text=True)
        if done.returncode:
            return done.stderr.strip().splitlines()[-1].partition(":")[0]  # such as no network at the import
        times.append(float(done.stdout.split()[-1]))
    return f"{min(times[1:]):.2f} s"


def main() -> None:
    print("| | packages | MB | import |\n|---|---|---|---|")
    for name in sys.argv[1:] or PEERS:
        print("| {} | {} | {} | {} |".format(name, *measure(*PEERS[name])), flush=True)


if __name__ == "__main__":
    main()
