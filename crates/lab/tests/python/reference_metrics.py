"""Metrics of texts as public packages compute them, to hold Kelvin's against.

    .venv/bin/pip install -r crates/lab/tests/python/requirements.txt
    .venv/bin/pip install --no-deps -r crates/lab/tests/python/requirements-alone.txt
    .venv/bin/python crates/lab/tests/python/reference_metrics.py < cases.json

In comes {"cases": [[text, ...], ...]}, out a list with one object for each case: name of the metric → value, or null where the
package refuses. Metrics of single texts are those of the first text.
"""

import gzip
import importlib.util
import json
import sys
import types
from pathlib import Path

import numpy as np
from nltk.translate import bleu_score
from nltk.util import ngrams


def stub(name, **members):
    """A module that a package imports at its head and that what is used here never calls."""
    sys.modules[name] = types.ModuleType(name)
    for member, value in members.items():
        setattr(sys.modules[name], member, value)


stub("matplotlib", pyplot=None)
stub("matplotlib.pyplot")
stub("pandas")
stub("sklearn", preprocessing=None)
# scipy has moved this, and vendi-score asks whether a matrix is one.
import scipy.sparse

if not hasattr(scipy.sparse, "csr"):
    scipy.sparse.csr = types.SimpleNamespace(csr_matrix=scipy.sparse.csr_matrix)

from lexicalrichness import LexicalRichness
from vendi_score import vendi


def file_of(package, module):
    """One file of a package whose __init__ imports far more."""
    folder = Path(importlib.util.find_spec(package).submodule_search_locations[0])
    spec = importlib.util.spec_from_file_location(f"{package}_{module}", folder / f"{module}.py")
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


diversity = file_of("diversity", "ngram_diversity")
repetition = file_of("diversity", "self_repetition")

# The package rounds to three digits, which would hide what is compared here.
diversity.round = lambda value, digits: value


def distinct(texts, n):
    """Li et al. 2016, with nltk's n-grams."""
    all_ngrams = [ngram for text in texts for ngram in ngrams(text.split(), n)]
    return len(set(all_ngrams)) / len(all_ngrams)


def ngram_diversity(texts):
    # The package takes single spaces for all white space there is.
    return diversity.ngram_diversity_score([" ".join(text.split()) for text in texts if text.split()])


def self_bleu(texts):
    """vendi_score.text_utils.self_bleu, which can't be imported without torch."""
    words = [text.split() for text in texts]
    smooth = bleu_score.SmoothingFunction().method1
    others = lambda i: words[:i] + words[i + 1 :]
    return np.mean([bleu_score.sentence_bleu(others(i), words[i], smoothing_function=smooth) for i in range(len(words))])


def ngram_vendi(texts):
    """vendi_score.text_utils.ngram_vendi_score, which can't be imported without torch, on its vendi.score_K."""
    if len(texts) < 2:
        raise ValueError("one sample is one sample")
    words = [text.split() for text in texts]
    kernel = np.zeros((len(texts), len(texts)))
    for n in [1, 2, 3, 4]:
        vocabulary = {ngram: i for i, ngram in enumerate({g for text in words for g in ngrams(text, n)})}
        counts = np.zeros((len(texts), max(len(vocabulary), 1)))
        for i, text in enumerate(words):
            for ngram in ngrams(text, n):
                counts[i, vocabulary[ngram]] += 1
        norms = np.linalg.norm(counts, axis=1, keepdims=True)
        unit = counts / np.where(norms == 0, 1, norms)
        kernel += unit @ unit.T / 4
    if not all(words):
        raise ValueError("a text without a word isn't like itself")
    return vendi.score_K(kernel, normalize=True)


def compression(texts):
    """diversity.compression_ratio with one gzip in place of two."""
    joined = " ".join(texts).encode()
    if not joined:
        raise ValueError("nothing to zip")
    return len(joined) / len(gzip.compress(joined))


METRICS = {
    "distinct_1": lambda texts: distinct(texts, 1),
    "distinct_2": lambda texts: distinct(texts, 2),
    "distinct_3": lambda texts: distinct(texts, 3),
    "ngram_diversity": ngram_diversity,
    "self_bleu": self_bleu,
    "self_repetition": lambda texts: repetition.self_repetition_score(texts, verbose=False),
    "compression": compression,
    "vendi": ngram_vendi,
    "mtld": lambda texts: LexicalRichness(texts[0]).mtld(),
    "hdd": lambda texts: LexicalRichness(texts[0]).hdd(),
}


def value(metric, texts):
    try:
        found = float(metric(texts))
    except (ZeroDivisionError, ValueError, KeyError):
        return None
    return found if np.isfinite(found) else None


print(json.dumps([{name: value(metric, texts) for name, metric in METRICS.items()} for texts in json.load(sys.stdin)["cases"]]))
