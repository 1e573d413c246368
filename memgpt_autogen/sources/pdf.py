"""Reads PDF page by page with pdfium."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import SourceError
from .base import Document
from .pdf_pages import flowing

#: pdfium is not thread-safe.
_one = threading.Lock()


def read_pdf(file: Path | bytes, uri: str) -> Iterator[Document]:
    """The pages with text, numbered from 1.

    Args:
        file: a path, or the bytes.
        uri: its name for readers.

    Raises:
        SourceError: it is encrypted or broken, or no page has text.
    """
    with _one:
        pdf = _open(file, uri)
        count = len(pdf)
    try:
        pages = []
        for number in range(count):
            with _one:
                pages.append(_page(pdf, number, uri))
    finally:
        with _one:
            pdf.close()
    if not any(page.strip() for page in pages):
        raise SourceError(
            f"{uri} has {count} pages and no text: it is probably a scan. Run it through a program for text "
            "recognition, such as ocrmypdf, and load what that makes."
        )
    for number, text in enumerate(flowing(pages), 1):
        if text:
            yield Document(text, uri, {"page": number})


def _open(file: Path | bytes, uri: str) -> Any:
    import pypdfium2

    try:
        return pypdfium2.PdfDocument(file)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise SourceError(
                f"{uri} is encrypted and opens only with a password. Save a copy without one, and load that."
            ) from error
        raise SourceError(f"{uri} is not a PDF that can be read; it may be damaged. Save it anew.") from error


def _page(pdf: Any, number: int, uri: str) -> str:
    import pypdfium2

    try:
        page = pdf[number]
        try:
            text = page.get_textpage()
            try:
                return str(text.get_text_range())
            finally:
                text.close()
        finally:
            page.close()
    except pypdfium2.PdfiumError as error:
        raise SourceError(f"{uri}, page {number + 1} cannot be read; the file may be damaged. Save it anew.") from error
