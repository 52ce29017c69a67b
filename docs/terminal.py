"""Runs a command on a terminal and draws the last screen as an SVG: the picture in README.md.

    pip install pyte
    python docs/terminal.py docs/src/images/compare.svg 100 kelvin compare "Write about Nepal" -t 0.5,1,2 --seed 7 -n 40

The second argument is the width in columns.
"""

import html
import os
import pty
import struct
import sys
import fcntl
import termios

import pyte

target, columns, *command = sys.argv[1:]
columns, lines = int(columns), 60
# Light on dark, as most terminals are.
BACKGROUND, FOREGROUND = "#1b1d23", "#d8dae0"
COLOURS = {
    "black": "#5c6370", "red": "#e06c75", "green": "#98c379", "brown": "#d7a65f", "blue": "#61afef",
    "magenta": "#c678dd", "cyan": "#56b6c2", "white": "#d8dae0", "brightblack": "#7f848e",
    "brightred": "#e06c75", "brightgreen": "#98c379", "brightbrown": "#e5c07b",
    "brightyellow": "#e5c07b", "brightblue": "#61afef", "brightmagenta": "#c678dd",
    "brightcyan": "#56b6c2", "brightwhite": "#ffffff", "default": FOREGROUND,
}
CELL, LINE, MARGIN = 8.4, 18, 14

screen = pyte.Screen(columns, lines)
stream = pyte.ByteStream(screen)
child, master = pty.fork()
if child == 0:
    os.environ.update(TERM="xterm-256color", COLUMNS=str(columns), LINES=str(lines))
    os.execvp(command[0], command)
fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
printed = b""
while True:
    try:
        data = os.read(master, 65536)
    except OSError:  # The other end is closed.
        break
    if not data:
        break
    printed += data
os.waitpid(child, 0)
# pyte drops what follows a zero-width character.
stream.feed(printed.replace("\u200c".encode(), b""))

typed = "$ " + " ".join(f'"{word}"' if " " in word else word for word in command)
rows = [row for row in range(lines) if any(screen.buffer[row][c].data.strip() for c in range(columns))]
last = max(rows) + 1
width = round(columns * CELL + 2 * MARGIN)
height = (last + 2) * LINE + 2 * MARGIN
out = [
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
    f'font-family="ui-monospace, Menlo, Consolas, monospace" font-size="14" style="white-space: pre">',
    f"<title>{html.escape(typed)}</title>",
    f'<rect width="{width}" height="{height}" rx="8" fill="{BACKGROUND}"/>',
    f'<text x="{MARGIN}" y="{MARGIN + LINE - 4}" fill="{FOREGROUND}">{html.escape(typed)}</text>',
]
for row in range(last):
    y = MARGIN + (row + 2) * LINE + LINE - 4
    column = 0
    while column < columns:
        cell = screen.buffer[row][column]
        style = (cell.fg, cell.bold, cell.reverse)
        end = column
        text = ""
        while end < columns:
            other = screen.buffer[row][end]
            if (other.fg, other.bold, other.reverse) != style:
                break
            text += other.data
            end += 1
        if text.strip():
            skipped = len(text) - len(text.lstrip(" "))
            x = MARGIN + (column + skipped) * CELL
            fill = COLOURS.get(cell.fg, "#" + cell.fg if len(cell.fg) == 6 else FOREGROUND)
            weight = ' font-weight="bold"' if cell.bold else ""
            text = html.escape(text.strip(" ").replace(" ", "\u00a0"))
            length = f' textLength="{(len(html.unescape(text))) * CELL:.1f}"'
            out.append(f'<text x="{x:.1f}" y="{y}" fill="{fill}"{weight}{length}>{text}</text>')
        column = end
out.append("</svg>")
with open(target, "w", encoding="utf-8") as file:
    file.write("\n".join(out) + "\n")
