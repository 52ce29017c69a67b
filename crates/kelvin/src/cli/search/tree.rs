//! The tree of beams as lines: what each step kept and what it dropped.
//!
//! Tokens that follow one another without a choice are one line. Where a search went on in several
//! ways, all but the one that led furthest are branches, drawn to the right before it goes on. So
//! the tree is as wide as beams are apart, and not as wide as texts are long.

use kelvin_views::{escape, search::NodeRow};

use crate::terminal::{style::Style, table, wrap};

/// Most dropped tokens of one place that are listed.
const MAX_DROPPED: usize = 6;
/// Columns of a line's text where there is no terminal.
const USUAL_WIDTH: usize = 100;

/// The children of each node, and those of the prompt.
struct Family<'a> {
    nodes: &'a [NodeRow],
    children: Vec<Vec<usize>>,
    /// How far each node leads: the best rank of a text below it, and the depth of its last node.
    reach: Vec<(usize, usize)>,
}

/// A part of the tree that isn't drawn yet.
struct Open {
    /// Where it begins.
    node: usize,
    /// What stands before its lines, and before its first one.
    stem: String,
    first: String,
}

/// The lines of a tree.
pub(super) fn lines(nodes: &[NodeRow], style: Style, width: Option<usize>) -> Vec<String> {
    let (terminal, width) = (width, width.unwrap_or(USUAL_WIDTH));
    let family = Family::of(nodes);
    let n_groups = nodes.iter().map(|node| node.group).max().unwrap_or(1);
    let mut out = vec![style.dim("step  tree")];
    for group in 1..=n_groups {
        if n_groups > 1 {
            out.push(style.bold(&format!("      group {group}")));
        }
        let of_group = |node: &NodeRow| node.parent.is_none() && node.group == group;
        let roots: Vec<usize> = (0..nodes.len()).filter(|&i| of_group(&nodes[i])).collect();
        family.draw(&roots, style, width, &mut out);
    }
    let legend = "→: rank of the text that ends there · †: nothing that followed was good enough · ×: \
                  dropped at once · …: the search ended · figures: scores in their step";
    out.extend(wrap::sentence(legend, 6, terminal, |line| style.dim(line)));
    out
}

impl Family<'_> {
    fn of(nodes: &[NodeRow]) -> Family<'_> {
        let mut children = vec![Vec::new(); nodes.len()];
        for (i, node) in nodes.iter().enumerate() {
            node.parent.iter().for_each(|&parent: &usize| children[parent].push(i));
        }
        let own = |node: &NodeRow| (node.rank.unwrap_or(usize::MAX), node.depth);
        let mut reach: Vec<(usize, usize)> = nodes.iter().map(own).collect();
        // Children come after their parents.
        for i in (0..nodes.len()).rev().filter(|&i| nodes[i].fate != "dropped") {
            if let Some(parent) = nodes[i].parent {
                let (rank, depth) = reach[i];
                reach[parent] = (reach[parent].0.min(rank), reach[parent].1.max(depth));
            }
        }
        Family { nodes, children, reach }
    }

    /// Whether a node was more than weighed.
    fn lives(&self, node: usize) -> bool {
        self.nodes[node].fate != "dropped"
    }

    /// The living of some siblings, the one that leads furthest last.
    fn living(&self, siblings: &[usize]) -> Vec<usize> {
        let mut living: Vec<usize> =
            siblings.iter().copied().filter(|&node| self.lives(node)).collect();
        let key = |&node: &usize| (self.reach[node].0, usize::MAX - self.reach[node].1, node);
        living.sort_by_key(|node| std::cmp::Reverse(key(node)));
        living
    }

    /// Draws what begins with these siblings.
    fn draw(&self, roots: &[usize], style: Style, width: usize, out: &mut Vec<String>) {
        let mut open: Vec<Open> = Vec::new();
        self.branch(roots, "", style, width, out, &mut open);
        while let Some(Open { mut node, stem, first }) = open.pop() {
            let (begin, mut text, mut dropped) =
                (self.nodes[node].depth, String::new(), Vec::new());
            let next = loop {
                text.push_str(&escape::visible(&self.nodes[node].text));
                let living = self.living(&self.children[node]);
                match living[..] {
                    [only] => {
                        dropped.extend(self.dropped(&self.children[node]));
                        node = only;
                    }
                    _ => break living,
                }
            };
            let end = self.end(node, &next);
            let room = width.saturating_sub(24 + stem.chars().count()).max(16);
            let score = format!("{:.2}", self.nodes[node].score);
            let text = table::cut(&text, room);
            out.push(format!("{begin:>4}  {first}{text}  {}{end}", style.dim(&score)));
            list(&dropped, &stem, style, width, out);
            self.branch(&self.children[node], &stem, style, width, out, &mut open);
        }
    }

    /// Prepares what goes on in several ways, and lists what was dropped there.
    fn branch(
        &self,
        siblings: &[usize],
        stem: &str,
        style: Style,
        width: usize,
        out: &mut Vec<String>,
        open: &mut Vec<Open>,
    ) {
        let dropped = self.dropped(siblings);
        list(&dropped, stem, style, width, out);
        let living = self.living(siblings);
        // The last is drawn last, so it is opened first.
        for (i, &node) in living.iter().enumerate().rev() {
            let is_main = i + 1 == living.len();
            open.push(Open {
                node,
                stem: if is_main { stem.to_string() } else { format!("{stem}│ ") },
                first: if is_main { stem.to_string() } else { format!("{stem}├ ") },
            });
        }
    }

    /// The dropped of some siblings, with their scores.
    fn dropped(&self, siblings: &[usize]) -> Vec<String> {
        let dropped = siblings.iter().map(|&node| &self.nodes[node]);
        let dropped = dropped.filter(|node| node.fate == "dropped");
        dropped.map(|node| format!("{} {:.2}", escape::visible(&node.text), node.score)).collect()
    }

    /// How a line ends whose last node goes on in these ways.
    fn end(&self, node: usize, next: &[usize]) -> String {
        let NodeRow { rank, fate, .. } = &self.nodes[node];
        match (rank, *fate, next) {
            (Some(rank), ..) => format!(" → {rank}"),
            (None, "left", _) => " …".to_string(),
            (None, _, []) => " †".to_string(),
            _ => String::new(),
        }
    }
}

/// A line of dropped tokens, if there are some.
fn list(dropped: &[String], stem: &str, style: Style, width: usize, out: &mut Vec<String>) {
    if dropped.is_empty() {
        return;
    }
    let more = match dropped.len().saturating_sub(MAX_DROPPED) {
        0 => String::new(),
        n => format!("  and {n} more"),
    };
    let shown: Vec<&str> = dropped.iter().take(MAX_DROPPED).map(String::as_str).collect();
    let room = width.saturating_sub(6 + stem.chars().count()).max(20);
    let line = table::cut(&format!("× {}{more}", shown.join("  ")), room);
    out.push(format!("      {stem}{}", style.dim(&line)));
}
