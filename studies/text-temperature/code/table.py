"""Runs the bodies of FOLDER/code-*.json in the sandbox and prints how many are right.

    python3 table.py FOLDER
"""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import judge
from intervals import cell, difference
from tasks import TASKS


def energy(column):
    """-ln p of a text's tokens, in nats."""
    figures = column["figures"]
    return (figures["mean_surprisal_raw"] or 0.0) * figures["tokens"]


def of_task(task, folder):
    """For each kind and T: the share of right bodies, surprisal, tokens, distinct bodies, ended
    bodies, and the tokens that the model read for a body."""
    columns = {kind: json.loads((folder / f"code-{task.name}-{kind}.json").read_text())["columns"]
               for kind in ("token", "text")}
    sets = {}
    for t in sorted({c["temperature"] for c in columns["token"]}):
        ordinary = [c for c in columns["token"] if c["temperature"] == t]
        sets["token", t] = ordinary
        sets["likeliest", t] = [min(ordinary, key=energy)]
    for c in columns["text"]:
        if "text_temperature" in c:
            sets.setdefault(("text", c["temperature"]), []).append(c)
    found = {key: figures(task, bodies) for key, bodies in sets.items()}
    for (kind, t), of in found.items():
        if kind == "likeliest":
            of["read"] = sum(c["figures"]["tokens"] for c in sets["token", t])
    return found


def figures(task, bodies):
    n = len(bodies)
    tokens = sum(c["figures"]["tokens"] for c in bodies)
    read = [c["text_temperature"]["tokens_read"] for c in bodies if "text_temperature" in c]
    cuts = [judge.cut(c["text"]) for c in bodies]
    return {
        "right": sum(judge.passes(task, body) for body in cuts) / n,
        "surprisal": sum(map(energy, bodies)) / max(tokens, 1),
        "tokens": tokens / n,
        "distinct": len(set(cuts)) / n,
        "ended": sum(c["finish"]["reason"] != "max_tokens" for c in bodies) / n,
        "read": sum(read) / n if read else tokens / n,
    }


def main():
    folder = pathlib.Path(sys.argv[1])
    made = [task for task in TASKS if all((folder / f"code-{task.name}-{kind}.json").exists()
                                          for kind in ("token", "text"))]
    tasks = [of_task(task, folder) for task in made]
    names = {"token": "token T = {}", "likeliest": "token T = {}, likeliest of 16",
             "text": "text T = {}, 16 particles"}
    print(f"{len(tasks)} of {len(TASKS)} tasks. Means over tasks with 95 % intervals (Student's t). Right: all "
          "cases of the task come out right. 16 bodies a task at a token temperature, 2 at a "
          "temperature of texts, so distinct bodies can't be compared between them. Read: tokens "
          "that the model computed for a body, in the likeliest's row those of all 16.\n")
    print("| setting | right | surprisal | tokens | distinct bodies | ended | read |")
    print("|" + "---|" * 7)
    for key in sorted(tasks[0], key=lambda key: (key[1], list(names).index(key[0]))):
        of = {name: [task[key][name] for task in tasks] for name in tasks[0][key]}
        cells = [cell(of["right"], 3, True), cell(of["surprisal"], 2), cell(of["tokens"], 1),
                 cell(of["distinct"], 2, True), cell(of["ended"], 2, True), cell(of["read"], 0)]
        print(f"| {names[key[0]].format(key[1])} | " + " | ".join(cells) + " |")
    print("\nDifferences in right bodies, task by task; bold where the interval excludes zero.\n")
    print("| | " + " | ".join(f"text T = {t}" for t in (0.25, 0.5)) + " |")
    print("|---|---|---|")
    for kind, t in [key for key in tasks[0] if key[0] != "text"]:
        cells = [difference([task["text", own]["right"] - task[kind, t]["right"]
                             for task in tasks], 3) for own in (0.25, 0.5)]
        print(f"| less {names[kind].format(t)} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
