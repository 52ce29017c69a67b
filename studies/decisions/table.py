"""Prints a table of results/*.json, as `kelvin calibrate --json` wrote them."""

import json
import pathlib


def found(figure):
    low, high = figure["interval"]
    return f"{figure['value']:.3f} [{low:.3f}, {high:.3f}]"


print("| model | layout | rotations | kind | right | T | NLL before | NLL after | change | "
      "calibration error before | after | change |")
print("|" + "---|" * 12)
for path in sorted(pathlib.Path("results").glob("*.json")):
    calibration = json.loads(path.read_text())
    for kind, one in calibration["kinds"].items():
        t, interval = one["fit"]["temperature"], one["fit"]["interval"]
        heat = f"{t:.2f} [{interval[0]:.2f}, {interval[1]:.2f}]" if interval else f"{t:.2f}"
        before, after = one["before"], one["after"]
        print(f"| {calibration['model']} | {calibration['layout']} | {calibration['rotations']} "
              f"| {kind} | {found(one['accuracy'])} | {heat} "
              f"| {found(before['nll'])} | {found(after['nll'])} | {found(one['nll_change'])} "
              f"| {found(before['ece'])} | {found(after['ece'])} | {found(one['ece_change'])} |")
