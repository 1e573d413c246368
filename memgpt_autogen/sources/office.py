"""Reads Word, PowerPoint, Excel and EPUB with markitdown (extra ``docs``)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..errors import SourceError
from .base import Document


def read_office(path: Path, uri: str) -> Iterator[Document]:
    """A file as Markdown; a presentation slide by slide, as pages.

    Raises:
        SourceError: the file cannot be read, or has no text.
    """
    from markitdown import MarkItDown

    try:
        text = MarkItDown(enable_plugins=False).convert_local(str(path)).markdown
    except MemoryError:
        raise
    except Exception as error:  # its parsers raise anything
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise SourceError(f"{uri} cannot be read; it may be damaged or encrypted. Save it anew. ({reason})") from error
    slides = text.split("<!-- Slide number: ") if path.suffix.lower() == ".pptx" else [text]
    found = False
    for slide in slides:
        number, border, body = slide.partition("-->")
        body = body if border and len(slides) > 1 else slide
        if body.strip():
            found = True
            yield Document(body.strip(), uri, {"page": int(number)} if len(slides) > 1 else {})
    if not found:
        raise SourceError(f"{uri} has no text.")
