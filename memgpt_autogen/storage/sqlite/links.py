"""From one passage to the next: those whose heading is a name in the query, or in what was found first.

Who asks for the birthplace of a film's director names the film; the passage on the director is found by the name that
the passage on the film tells.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from ..search.names import heading_of, names_in, phrases_in
from .database import Database
from .postings import Numbers

#: Passages that one heading stands for at most. What begins more of them (a speaker, a running title) names none.
SAME = 10

_UNDER = f"""
SELECT (SELECT group_concat(seq) FROM (
    SELECT seq FROM passages WHERE heading = name.value
    AND source_id IN (SELECT value FROM json_each(?1)) LIMIT {SAME + 1}
)) AS seqs FROM json_each(?2) AS name
"""


def linked(database: Database, source_ids: Sequence[str], query: str, texts: Sequence[str]) -> Numbers:
    """The passages, rising, whose heading stands in a query or in one of some texts.

    Args:
        database: where they are.
        source_ids: whose passages.
        query: a person's words.
        texts: of the first hits. None links to passages of its own heading.
    """
    names = dict.fromkeys(phrases_in(query))
    for text in texts:
        own = heading_of(text)
        names.update(dict.fromkeys(name for name in names_in(text) if name != own))
    rows = database.all(_UNDER, json.dumps(list(source_ids)), json.dumps(list(names)))
    found: set[int] = set()
    for row in rows:
        seqs = [int(seq) for seq in (row["seqs"] or "").split(",") if seq]
        if len(seqs) <= SAME:
            found.update(seqs)
    return np.array(sorted(found), dtype=np.int64)
