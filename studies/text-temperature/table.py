"""Prints a table of runs/*.json: likelihood and diversity against T, for token temperature, for the
likeliest of each group of ordinary texts, and for the temperature of whole texts. All three cost as
much: a group has as many texts as there are particles."""

import json
import math
import pathlib
import sys

PARTICLES = int(sys.argv[1])


def energy(column):
    """-ln p of a text's tokens, in nats."""
    figures = column["figures"]
    return (figures["mean_surprisal_raw"] or 0.0) * figures["tokens"]


def distinct_2(columns):
    """Distinct pairs of neighbouring tokens over all texts, as a share of all pairs."""
    pairs = [pair for c in columns for pair in zip(c["ids"], c["ids"][1:])]
    return len(set(pairs)) / len(pairs) if pairs else 0.0


def mean(values):
    """The mean and its standard error."""
    m = sum(values) / len(values)
    squares = sum((v - m) ** 2 for v in values)
    return m, math.sqrt(squares / (len(values) - 1) / len(values))


def figures(columns):
    """Of the texts of one prompt at one setting."""
    tokens = sum(c["figures"]["tokens"] for c in columns)
    return {
        "energy": sum(map(energy, columns)) / len(columns),
        "surprisal": sum(map(energy, columns)) / max(tokens, 1),
        "tokens": tokens / len(columns),
        "distinct": len({c["text"] for c in columns}) / len(columns),
        "distinct_2": distinct_2(columns),
    }


def settings():
    """For each setting the figures of each prompt."""
    found = {}
    for path in sorted(pathlib.Path("runs").glob("*-token.json")):
        token = json.loads(path.read_text())["columns"]
        text = json.loads(path.with_name(path.name.replace("token", "text")).read_text())["columns"]
        for t in sorted({c["temperature"] for c in token}):
            ordinary = [c for c in token if c["temperature"] == t]
            groups = [ordinary[i:i + PARTICLES] for i in range(0, len(ordinary), PARTICLES)]
            rows = {
                f"token T = {t}": [group[0] for group in groups],
                f"token T = {t}, likeliest of {PARTICLES}": [min(g, key=energy) for g in groups],
                f"text T = {t}, {PARTICLES} particles":
                    [c for c in text if c["temperature"] == t and "text_temperature" in c],
            }
            for name, columns in rows.items():
                found.setdefault((t, name), []).append(figures(columns))
            quality = [c["text_temperature"] for c in text
                       if c["temperature"] == t and "text_temperature" in c]
            for key in ["ess", "resamplings", "ancestors", "tokens_read"]:
                value = sum(q[key] for q in quality) / len(quality)
                found[t, f"text T = {t}, {PARTICLES} particles"][-1][key] = value
    return found


def cell(values, key, digits):
    if key not in values[0]:
        return "-"
    m, error = mean([v[key] for v in values])
    return f"{m:.{digits}f} ± {error:.{digits}f}"


print("Means over prompts, ± their standard error. Energy is -ln p of a text without the token that "
      "ended it, surprisal the same over its tokens, both in nats. Distinct texts and pairs are "
      "shares.\n")
print("| setting | energy | surprisal | tokens | distinct texts | distinct pairs "
      "| effective particles | resamplings | ancestors | tokens read |")
print("|" + "---|" * 10)
for (_, name), values in sorted(settings().items(), key=lambda item: item[0][0]):
    cells = [cell(values, key, digits) for key, digits in
             [("energy", 1), ("surprisal", 2), ("tokens", 1), ("distinct", 2), ("distinct_2", 2),
              ("ess", 1), ("resamplings", 1), ("ancestors", 1), ("tokens_read", 0)]]
    print(f"| {name} | " + " | ".join(cells) + " |")
