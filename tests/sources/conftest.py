"""A library in memory, and documents of every kind."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from memgpt_autogen.library import Library
from memgpt_autogen.sources import web_client
from memgpt_autogen.storage.base import Store
from memgpt_autogen.storage.records import Passage
from memgpt_autogen.storage.sqlite import SQLiteStore

from .network import Network


@pytest.fixture
def store() -> Store:
    return SQLiteStore(None)


@pytest.fixture
def library(store: Store) -> Library:
    return Library(store)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "documents"
    place.mkdir()
    return place


@pytest.fixture
def passages(store: Store) -> Callable[[str], list[Passage]]:
    """Every passage of a source, in the order in which they were written."""

    def read(name: str) -> list[Passage]:
        return list(store.passages.backlog("", 10_000, store.sources.get_source(name).id))

    return read


def write_pdf(path: Path, pages: Sequence[str], password: str = "") -> Path:
    """A PDF of one text a page; a page without text has a drawing."""
    fpdf = pytest.importorskip("fpdf")
    pdf = fpdf.FPDF()
    pdf.set_font("Helvetica", size=12)
    for text in pages:
        pdf.add_page()
        if text:
            pdf.multi_cell(0, 7, text)
        else:
            pdf.rect(20, 20, 60, 60)
    if password:
        pdf.set_encryption(owner_password=password, user_password=password)
    pdf.output(str(path))
    return path


@pytest.fixture(autouse=True)
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    """The only network that loaders see in tests: see :class:`.network.Network`."""
    made = Network()
    monkeypatch.setattr(socket, "getaddrinfo", made.getaddrinfo)
    monkeypatch.setattr(socket, "create_connection", made.create_connection)
    monkeypatch.setattr(web_client, "getproxies", dict)
    return made
