// The cumulative bar: every token as a piece as long as its probability, in descending order, and
// the dart where the dice fall.

import { s } from "../dom.js";
import { share } from "../format.js";
import { chart } from "./chart.js";

const TOP = 30;
const BAR = 40;

/** Makes one. `show({ pieces, rest, dart })`: a piece has `name`, `p`, `colour`; the dart `u`, `from`, `to`, `name`. */
export function cumulative() {
  let data = null;
  const drawing = chart("Cumulative bar", TOP + BAR + 24, paint);

  function paint(svg, width) {
    if (!data) return;
    const { pieces, dart } = data;
    let from = 0;
    const bar = s("g", {});
    bar.append(s("rect", { class: "piece-rest", x: 0, y: TOP, width, height: BAR, rx: 6 }));
    for (const piece of pieces) {
      const w = piece.p * width;
      const hit = piece.id === dart.id;
      bar.append(
        s(
          "rect",
          {
            class: `piece fill-${piece.colour}${hit ? " hit" : ""}`,
            x: from * width,
            y: TOP,
            width: Math.max(0, w - (w > 3 ? 1 : 0)),
            height: BAR,
          },
          s("title", {}, `${piece.name} ${share(piece.p)}`),
        ),
      );
      if (w > piece.name.length * 7.6 + 10)
        bar.append(
          s(
            "text",
            {
              class: "piece-name",
              x: from * width + w / 2,
              y: TOP + BAR / 2 + 4.5,
              "text-anchor": "middle",
            },
            piece.name,
          ),
        );
      from += piece.p;
    }
    svg.append(bar);
    const x = dart.u * width;
    svg.append(
      s("rect", {
        class: "hit-edge",
        x: dart.from * width,
        y: TOP - 3,
        width: Math.max(2, (dart.to - dart.from) * width),
        height: BAR + 6,
        rx: 3,
      }),
      s("path", {
        class: "dart",
        d: `M${x} ${TOP + BAR * 0.55}L${x} 12M${x - 5} ${TOP - 4}L${x} ${TOP + 5}L${x + 5} ${TOP - 4}`,
      }),
      s(
        "text",
        { class: "name", x: Math.min(Math.max(x, 40), width - 40), y: 9, "text-anchor": "middle" },
        `u = ${dart.u.toFixed(6)}`,
      ),
    );
    for (const at of [0, 0.25, 0.5, 0.75, 1]) {
      svg.append(
        s(
          "text",
          {
            class: "tick",
            x: at * width,
            y: TOP + BAR + 18,
            "text-anchor": at === 0 ? "start" : at === 1 ? "end" : "middle",
          },
          String(at),
        ),
      );
    }
  }

  return {
    root: drawing.root,
    show(next) {
      data = next;
      drawing.again();
      drawing.say(
        `Cumulative bar of ${next.pieces.length} tokens and the rest; the dart at ${next.dart.u.toFixed(6)} hits ${next.dart.name}`,
      );
    },
  };
}
