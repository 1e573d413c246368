"""Whether a zipped document (Word, PowerPoint, Excel, EPUB) may be unpacked: judged before any parser sees it."""

from __future__ import annotations

from pathlib import Path
from zipfile import BadZipFile, ZipFile, ZipInfo

from ..errors import SourceError

#: Bytes that all of a document may unpack to, and its texts (XML, HTML) alone; how many parts it may have.
MOST, MOST_TEXT, MOST_PARTS = 1 << 30, 256 << 20, 20_000
#: How many times its size a document may unpack to, from a size on. Word and Excel come to 10 to 60.
RATIO, RATIO_FROM = 150, 16 << 20
#: Bytes at the start of a text in which entities are declared, if they are at all.
_PROLOG = 64 << 10
_TEXTS = (".xml", ".rels", ".vml", ".xhtml", ".html", ".htm", ".opf", ".ncx", ".svg")


def check_zip(path: Path, uri: str) -> None:
    """See that a document unpacks to what can be held, and declares no XML entities, which multiply or reach out.

    Raises:
        SourceError: it does not; or it is no zip file.
    """
    try:
        with ZipFile(path) as packed:
            parts = packed.infolist()
            _check_sizes(parts, path.stat().st_size, uri)
            for part in parts:
                if part.filename.lower().endswith(_TEXTS):
                    _check_entities(packed, part, uri)
    except (BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        if isinstance(error, SourceError):
            raise
        # markitdown would take what is no zip file for plain text
        raise SourceError(f"{uri} cannot be read; it may be damaged or encrypted. Save it anew.") from error


def _check_sizes(parts: list[ZipInfo], packed: int, uri: str) -> None:
    whole = sum(part.file_size for part in parts)
    texts = sum(part.file_size for part in parts if part.filename.lower().endswith(_TEXTS))
    if len(parts) > MOST_PARTS:
        raise SourceError(f"{uri} consists of {len(parts):,} parts, which is more than a document has. Save it anew.")
    if whole > MOST or texts > MOST_TEXT or (whole > RATIO_FROM and whole > RATIO * packed):
        sizes = f"{max(1, packed >> 20):,} MB that unpack to {whole >> 20:,} MB"
        raise SourceError(f"{uri} is too large to be read: {sizes}. Save what you need of it as text, and load that.")


def _check_entities(packed: ZipFile, part: ZipInfo, uri: str) -> None:
    with packed.open(part) as file:
        start = file.read(_PROLOG).replace(b"\0", b"")  # so that UTF-16 reads like ASCII
    if b"<!ENTITY" in start:
        raise SourceError(f"{uri} declares XML entities, which documents do not. Save it anew.")
