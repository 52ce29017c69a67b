"""Prints tables of runs/*.json: likelihood and diversity against T, for token temperature, for the
likeliest of each group of ordinary texts, and for the temperature of whole texts. The last two cost
as much: a group has as many texts as there are particles."""

import json
import pathlib
import sys

from intervals import cell, difference

PARTICLES = int(sys.argv[1])
MODELS = ["smollm2", "qwen2.5-coder-1.5b"]
KEYS = [("energy", 1), ("surprisal", 2), ("tokens", 1), ("distinct", 2), ("distinct_2", 2),
        ("ess", 1), ("resamplings", 1), ("ancestors", 1), ("tokens_read", 0)]


def energy(column):
    """-ln p of a text's tokens, in nats."""
    figures = column["figures"]
    return (figures["mean_surprisal_raw"] or 0.0) * figures["tokens"]


def distinct_2(columns):
    """Distinct pairs of neighbouring tokens over all texts, as a share of all pairs."""
    pairs = [pair for c in columns for pair in zip(c["ids"], c["ids"][1:])]
    return len(set(pairs)) / len(pairs) if pairs else 0.0


def figures(columns):
    """Of the texts of one prompt at one setting, which are as many in each setting."""
    tokens = sum(c["figures"]["tokens"] for c in columns)
    return {
        "energy": sum(map(energy, columns)) / len(columns),
        "surprisal": sum(map(energy, columns)) / max(tokens, 1),
        "tokens": tokens / len(columns),
        "distinct": len({c["text"] for c in columns}) / len(columns),
        "distinct_2": distinct_2(columns),
    }


def mean_figures(sets):
    """The means over several sets of texts."""
    found = [figures(columns) for columns in sets]
    return {key: sum(f[key] for f in found) / len(found) for key in found[0]}


def of_prompt(token, text):
    """For each kind and T, the figures of one prompt's texts."""
    rows = {}
    for t in sorted({c["temperature"] for c in token}):
        ordinary = [c for c in token if c["temperature"] == t]
        groups = [ordinary[i:i + PARTICLES] for i in range(0, len(ordinary), PARTICLES)]
        rows["token", t] = mean_figures(list(zip(*groups)))
        rows["likeliest", t] = figures([min(group, key=energy) for group in groups])
        whole = [c for c in text if c["temperature"] == t and "text_temperature" in c]
        if whole:
            quality = [c["text_temperature"] for c in whole]
            rows["text", t] = {**figures(whole), **{
                key: sum(q[key] for q in quality) / len(quality)
                for key in ["ess", "resamplings", "ancestors", "tokens_read"]}}
    return rows


def at_surprisal(rows, surprisal):
    """The diversity that token temperature has at a surprisal, between the nearest two of its
    temperatures; none outside of them."""
    curve = sorted((f["surprisal"], f["distinct_2"]) for (kind, _), f in rows.items()
                   if kind == "token")
    for (x0, y0), (x1, y1) in zip(curve, curve[1:]):
        if x0 <= surprisal <= x1 and x0 < x1:
            return y0 + (y1 - y0) * (surprisal - x0) / (x1 - x0)
    return None


def table(prompts):
    names = {"token": "token T = {}", "likeliest": f"token T = {{}}, likeliest of {PARTICLES}",
             "text": f"text T = {{}}, {PARTICLES} particles"}
    print("| setting | energy | surprisal | tokens | distinct texts | distinct pairs "
          "| effective particles | resamplings | ancestors | tokens read |")
    print("|" + "---|" * 10)
    for kind, t in sorted(prompts[0], key=lambda key: (key[1], list(names).index(key[0]))):
        values = [rows[kind, t] for rows in prompts]
        cells = [cell([v[key] for v in values], digits, key.startswith("distinct"))
                 if key in values[0] else "-"
                 for key, digits in KEYS]
        print(f"| {names[kind].format(t)} | " + " | ".join(cells) + " |")


def differences(prompts):
    print("\n| T | surprisal: text − token | text − likeliest "
          "| distinct pairs: text − token | text − likeliest | text − token at equal surprisal |")
    print("|" + "---|" * 6)
    for t in sorted(t for kind, t in prompts[0] if kind == "text"):
        cells = [difference([rows["text", t][key] - rows[other, t][key] for rows in prompts], 2)
                 for key in ["surprisal", "distinct_2"] for other in ["token", "likeliest"]]
        wholes = [(rows["text", t], rows) for rows in prompts]
        pairs = [(whole["distinct_2"], at_surprisal(rows, whole["surprisal"]))
                 for whole, rows in wholes]
        equal = [a - b for a, b in pairs if b is not None]
        within = difference(equal, 2) if len(equal) > 1 else "-"
        print(f"| {t} | " + " | ".join(cells) + f" | {within}, {len(equal)} prompts |")


print("Means over prompts with 95 % intervals (Student's t). Energy is -ln p of a text without the "
      "token that ended it, surprisal the same over its tokens, both in nats. Distinct texts and "
      "pairs are shares, over as many texts in each setting. Differences are pair by pair, bold "
      "where the interval excludes zero. At equal surprisal: beside what token temperature has at "
      "the same surprisal, between two of its temperatures; prompts whose texts are likelier than "
      "any of them are left out.")
for model in MODELS:
    prompts = []
    for path in sorted(pathlib.Path("runs").glob(f"{model}-*-token.json")):
        text = path.with_name(path.name.replace("-token", "-text"))
        if text.exists():
            both = [json.loads(one.read_text())["columns"] for one in (path, text)]
            prompts.append(of_prompt(*both))
    if len(prompts) > 1:
        print(f"\n## {model}, {len(prompts)} prompts\n")
        table(prompts)
        differences(prompts)
