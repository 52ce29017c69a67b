"""Thirty small tasks of our own: a signature with a description, from which a model writes the body,
and cases that tell whether it is right.

    python3 tasks.py    checks that each reference body passes, and that each wrong body fails
"""

from typing import NamedTuple


class Task(NamedTuple):
    prompt: str
    # Arguments, and what comes back.
    cases: list
    # A body that is right, and one that isn't.
    right: str
    wrong: str

    @property
    def name(self):
        return self.prompt[len("def "):self.prompt.index("(")]


def task(head, text, cases, right, wrong):
    """The prompt has the first case as its example."""
    name = head[:head.index("(")]
    arguments, answer = cases[0]
    example = f"{name}({', '.join(map(repr, arguments))})"
    prompt = f'def {head}:\n    """{text}\n\n    >>> {example}\n    {answer!r}\n    """\n'
    return Task(prompt, cases, right, wrong)


TASKS = [
    task("between(text, left, right)",
         "The part of text between the first left and the first right after it; empty if either is\n"
         "    missing.",
         [(("a[bc]d", "[", "]"), "bc"), (("]a[b]", "[", "]"), "b"), (("a[b", "[", "]"), ""),
          (("ab]", "[", "]"), ""), (("x<<1>>y", "<<", ">>"), "1"), (("|a|b|", "|", "|"), "a")],
         "    parts = text.partition(left)[2].partition(right)\n"
         "    return parts[0] if parts[1] else ''\n",
         "    return text.split(left)[1].split(right)[0] if left in text else ''\n"),
    task("rotate_words(sentence, n)",
         "Moves the first n words of a sentence to its end. n may be larger than the number of words.",
         [(("one two three", 1), "two three one"), (("a b c", 3), "a b c"), (("a b c", 4), "b c a"),
          (("", 2), ""), (("x", 5), "x"), (("a b", 0), "a b")],
         "    words = sentence.split()\n    n = n % len(words) if words else 0\n"
         "    return ' '.join(words[n:] + words[:n])\n",
         "    words = sentence.split()\n    return ' '.join(words[n:] + words[:n])\n"
         .replace("words[:n]", "words[:n - 1]")),
    task("second_largest(numbers)",
         "The second largest of the different values in a list; None if there is none.",
         [(([3, 1, 3, 2],), 2), (([5],), None), (([],), None), (([2, 2],), None), (([-1, -3],), -3),
          (([1, 2, 3, 4],), 3)],
         "    values = sorted(set(numbers))\n    return values[-2] if len(values) > 1 else None\n",
         "    return sorted(numbers)[-2] if len(numbers) > 1 else None\n"),
    task("run_lengths(text)",
         "The runs of equal characters in text, as pairs of the character and the run's length.",
         [(("aab",), [("a", 2), ("b", 1)]), (("",), []), (("abba",), [("a", 1), ("b", 2), ("a", 1)]),
          (("zzz",), [("z", 3)])],
         "    runs = []\n    for c in text:\n        if runs and runs[-1][0] == c:\n"
         "            runs[-1] = (c, runs[-1][1] + 1)\n        else:\n            runs.append((c, 1))\n"
         "    return runs\n",
         "    return [(c, text.count(c)) for c in sorted(set(text))]\n"),
    task("each_doubles(numbers)",
         "Whether each number after the first is at least twice the one before it.",
         [(([1, 2, 5, 10],), True), (([1, 2, 3],), False), (([],), True), (([7],), True),
          (([0, 0],), True), (([-4, -8],), True), (([-4, -9],), False)],
         "    return all(b >= 2 * a for a, b in zip(numbers, numbers[1:]))\n",
         "    return all(b > a for a, b in zip(numbers, numbers[1:]))\n"),
    task("digits_product(n)",
         "The product of the digits of a whole number that aren't zero; 1 if there are none. The sign\n"
         "    doesn't matter.",
         [((1203,), 6), ((0,), 1), ((-45,), 20), ((7,), 7), ((1000,), 1), ((99,), 81)],
         "    product = 1\n    for digit in str(abs(n)):\n        product *= int(digit) or 1\n"
         "    return product\n",
         "    product = 1\n    for digit in str(n):\n        product *= int(digit)\n    return product\n"),
    task("merge_counts(a, b)",
         "Adds two dictionaries of counts. A key whose sum is zero is left out.",
         [(({"x": 1, "y": 2}, {"y": 3}), {"x": 1, "y": 5}), (({"x": 1}, {"x": -1}), {}),
          (({}, {"z": 2}), {"z": 2}), (({"a": 0}, {}), {}),
          (({"a": 1, "b": 1}, {"b": -1, "c": 4}), {"a": 1, "c": 4})],
         "    sums = {key: a.get(key, 0) + b.get(key, 0) for key in {**a, **b}}\n"
         "    return {key: value for key, value in sums.items() if value != 0}\n",
         "    return {**a, **b}\n"),
    task("longest_run(numbers)",
         "The length of the longest run of equal neighbours in a list.",
         [(([1, 2, 2, 2, 1],), 3), (([],), 0), (([5],), 1), (([1, 2, 1, 2],), 1),
          (([3, 3, 1, 3, 3, 3],), 3), (([0, 0],), 2)],
         "    best = run = 0\n    for i, x in enumerate(numbers):\n"
         "        run = run + 1 if i and numbers[i - 1] == x else 1\n        best = max(best, run)\n"
         "    return best\n",
         "    return max((numbers.count(x) for x in numbers), default=0)\n"),
    task("initials(name)",
         "The initials of a name, each a capital letter with a dot.",
         [(("ada king lovelace",), "A.K.L."), (("",), ""), (("bob",), "B."), ((" a  b ",), "A.B."),
          (("Zoe MAY",), "Z.M.")],
         "    return ''.join(word[0].upper() + '.' for word in name.split())\n",
         "    return '.'.join(word[0].upper() for word in name.split())\n"),
    task("to_minutes(clock)",
         "A length of time such as 2h30m, 45m or 3h in minutes.",
         [(("2h30m",), 150), (("45m",), 45), (("3h",), 180), (("0h5m",), 5), (("10h",), 600),
          (("1h01m",), 61)],
         "    hours, _, rest = clock.rpartition('h')\n"
         "    return int(hours or 0) * 60 + int(rest.rstrip('m') or 0)\n",
         "    hours, minutes = clock.split('h')\n    return int(hours) * 60 + int(minutes[:-1])\n"),
    task("balanced(text)",
         "Whether the brackets (), [] and {} in text are closed in the right order. Other characters\n"
         "    don't matter.",
         [(("a(b[c]d)",), True), (("(]",), False), (("",), True), (("((",), False), (("})",), False),
          (("{[()]}()",), True), (("([)]",), False)],
         "    open_ones = []\n    for c in text:\n        if c in '([{':\n"
         "            open_ones.append(')]}'['([{'.index(c)])\n        elif c in ')]}':\n"
         "            if not open_ones or open_ones.pop() != c:\n                return False\n"
         "    return not open_ones\n",
         "    return all(text.count(a) == text.count(b) for a, b in ('()', '[]', '{}'))\n"),
    task("collatz_steps(n)",
         "How many steps it takes from n to 1, if an even number is halved, and an odd one becomes three\n"
         "    times itself and one more.",
         [((6,), 8), ((1,), 0), ((2,), 1), ((7,), 16), ((27,), 111), ((16,), 4)],
         "    steps = 0\n    while n != 1:\n        n = n // 2 if n % 2 == 0 else 3 * n + 1\n"
         "        steps += 1\n    return steps\n",
         "    steps = 1\n    while n != 1:\n        n = n // 2 if n % 2 == 0 else 3 * n + 1\n"
         "        steps += 1\n    return steps\n"),
    task("snake(name)",
         "A name such as maxItemCount with lower-case letters and underscores. Each capital letter\n"
         "    begins a word.",
         [(("maxItemCount",), "max_item_count"), (("x",), "x"), (("Size",), "size"), (("aB",), "a_b"),
          (("readURL",), "read_u_r_l"), (("",), "")],
         "    text = ''.join('_' + c.lower() if c.isupper() else c for c in name)\n"
         "    return text.lstrip('_')\n",
         "    return ''.join('_' + c.lower() if c.isupper() else c for c in name)\n"),
    task("common_prefix(words)",
         "The longest text that all words begin with; empty if there are no words.",
         [((["flower", "flow", "flight"],), "fl"), (([],), ""), ((["abc"],), "abc"),
          ((["a", "b"],), ""), ((["ab", "abc", "ab"],), "ab"), ((["", "x"],), "")],
         "    prefix = words[0] if words else ''\n    for word in words:\n"
         "        while not word.startswith(prefix):\n            prefix = prefix[:-1]\n"
         "    return prefix\n",
         "    return words[0][:2] if words else ''\n"),
    task("lower_median(numbers)",
         "The median of a list that isn't empty; of two middle values the smaller one.",
         [(([5, 1, 3],), 3), (([4, 1, 3, 2],), 2), (([7],), 7), (([2, 2, 9, 9],), 2),
          (([10, -1],), -1)],
         "    return sorted(numbers)[(len(numbers) - 1) // 2]\n",
         "    return sorted(numbers)[len(numbers) // 2]\n"),
    task("caesar(text, k)",
         "Moves each letter of the English alphabet k places on, from z to a; upper-case letters stay\n"
         "    upper-case, and what is no letter stays as it is.",
         [(("abc xyz", 3), "def abc"), (("Hello, Z!", 1), "Ifmmp, A!"), (("b", -1), "a"),
          (("a", 27), "b"), (("", 5), ""), (("A1z", 0), "A1z")],
         "    def moved(c):\n        first = ord('a' if c.islower() else 'A')\n"
         "        return chr((ord(c) - first + k) % 26 + first) if c.isalpha() else c\n"
         "    return ''.join(map(moved, text))\n",
         "    return ''.join(chr(ord(c) + k) if c.isalpha() else c for c in text)\n"),
    task("unique_in_order(items)",
         "The different items of a list in the order in which they first come.",
         [(([3, 1, 3, 2, 1],), [3, 1, 2]), (([],), []), ((["b", "a", "b"],), ["b", "a"]),
          (([1, 1, 1],), [1])],
         "    return list(dict.fromkeys(items))\n",
         "    return sorted(set(items))\n"),
    task("sum_of_gaps(numbers)",
         "The sum of the distances between neighbours in a list.",
         [(([1, 4, 2],), 5), (([],), 0), (([9],), 0), (([0, -3, 3],), 9), (([5, 5, 6],), 1)],
         "    return sum(abs(a - b) for a, b in zip(numbers, numbers[1:]))\n",
         "    return sum(b - a for a, b in zip(numbers, numbers[1:]))\n"),
    task("parse_pairs(text)",
         "Reads pairs such as a=1;b=22 into a dictionary of whole numbers. Empty parts are skipped, and\n"
         "    blanks around names and numbers don't count.",
         [(("a=1;b=22",), {"a": 1, "b": 22}), (("",), {}), (("x=5;",), {"x": 5}),
          ((" k = -3 ;; m=0",), {"k": -3, "m": 0}), (("a=1;a=2",), {"a": 2})],
         "    pairs = [part.split('=') for part in text.split(';') if part.strip()]\n"
         "    return {name.strip(): int(value) for name, value in pairs}\n",
         "    return {part[0]: int(part[2:]) for part in text.split(';') if part}\n"),
    task("diagonal_sums(matrix)",
         "The sums of both diagonals of a square matrix, as a pair: first from the upper left, then\n"
         "    from the upper right.",
         [(([[1, 2], [3, 4]],), (5, 5)), (([[7]],), (7, 7)),
          (([[1, 0, 9], [0, 1, 0], [3, 0, 1]],), (3, 13)), (([],), (0, 0))],
         "    n = len(matrix)\n    return (sum(matrix[i][i] for i in range(n)),\n"
         "            sum(matrix[i][n - 1 - i] for i in range(n)))\n",
         "    n = len(matrix)\n    return (sum(matrix[i][i] for i in range(n)),) * 2\n"),
    task("days_in_month(year, month)",
         "How many days a month has, 1 for January to 12 for December, with leap years by the Gregorian\n"
         "    calendar.",
         [((2024, 2), 29), ((2023, 2), 28), ((1900, 2), 28), ((2000, 2), 29), ((2023, 4), 30),
          ((2023, 12), 31), ((2023, 7), 31), ((2023, 11), 30)],
         "    if month == 2:\n        leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)\n"
         "        return 29 if leap else 28\n    return 30 if month in (4, 6, 9, 11) else 31\n",
         "    if month == 2:\n        return 29 if year % 4 == 0 else 28\n"
         "    return 30 if month in (4, 6, 9, 11) else 31\n"),
    task("roman(n)",
         "A number from 1 to 3999 in Roman numerals.",
         [((14,), "XIV"), ((1,), "I"), ((3999,), "MMMCMXCIX"), ((40,), "XL"), ((2026,), "MMXXVI"),
          ((944,), "CMXLIV")],
         "    values = (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1)\n"
         "    names = 'M CM D CD C XC L XL X IX V IV I'.split()\n    text = ''\n"
         "    for value, name in zip(values, names):\n        text += name * (n // value)\n"
         "        n %= value\n    return text\n",
         "    text = ''\n    for value, name in zip((1000, 500, 100, 50, 10, 5, 1), 'MDCLXVI'):\n"
         "        text += name * (n // value)\n        n %= value\n    return text\n"),
    task("alternate_case(text)",
         "Letters become upper-case and lower-case in turn, the first one upper-case. What is no letter\n"
         "    stays as it is and doesn't count.",
         [(("hello world",), "HeLlO wOrLd"), (("",), ""), (("1a2b3c",), "1A2b3C"), (("ABC",), "AbC"),
          (("- -",), "- -")],
         "    count, text_out = 0, ''\n    for c in text:\n        if c.isalpha():\n"
         "            c = c.lower() if count % 2 else c.upper()\n            count += 1\n"
         "        text_out += c\n    return text_out\n",
         "    return ''.join(c.lower() if i % 2 else c.upper() for i, c in enumerate(text))\n"),
    task("window_max(numbers, k)",
         "The largest number of each k neighbours in a list, from left to right; no numbers if the list\n"
         "    is shorter than k.",
         [(([1, 3, 2, 5], 2), [3, 3, 5]), (([4], 2), []), (([2, 1], 1), [2, 1]), (([], 3), []),
          (([5, 4, 3, 2], 3), [5, 4])],
         "    return [max(numbers[i:i + k]) for i in range(len(numbers) - k + 1)]\n",
         "    return [max(numbers[i:i + k]) for i in range(len(numbers))]\n"),
    task("zeros_last(numbers)",
         "A list with its zeros at the end, the other numbers in their order.",
         [(([0, 1, 0, 3],), [1, 3, 0, 0]), (([],), []), (([0],), [0]), (([2, -1],), [2, -1]),
          (([0, 0, 5],), [5, 0, 0])],
         "    return [x for x in numbers if x] + [x for x in numbers if not x]\n",
         "    return sorted(numbers, reverse=True)\n"),
    task("split_at(items, wanted)",
         "The parts of a list between the items that equal wanted. Empty parts are kept.",
         [(([1, 0, 2, 3, 0], 0), [[1], [2, 3], []]), (([], 0), [[]]), (([0], 0), [[], []]),
          (([1, 2], 0), [[1, 2]]), (([0, 0, 7], 0), [[], [], [7]])],
         "    parts = [[]]\n    for item in items:\n        if item == wanted:\n"
         "            parts.append([])\n        else:\n            parts[-1].append(item)\n"
         "    return parts\n",
         "    parts = [[]]\n    for item in items:\n        if item == wanted:\n"
         "            parts.append([])\n        else:\n            parts[-1].append(item)\n"
         "    return [part for part in parts if part]\n"),
    task("reduced(text)",
         "Reads a fraction such as 6/8 of positive whole numbers and reduces it: the numerator and the\n"
         "    denominator as a pair.",
         [(("6/8",), (3, 4)), (("5/5",), (1, 1)), (("7/3",), (7, 3)), (("100/25",), (4, 1)),
          (("12/18",), (2, 3))],
         "    a, b = map(int, text.split('/'))\n    x, y = a, b\n    while y:\n        x, y = y, x % y\n"
         "    return (a // x, b // x)\n",
         "    a, b = map(int, text.split('/'))\n    return (a // 2, b // 2)\n"),
    task("best_day(prices)",
         "The largest profit of buying on one day and selling on a later one, from a list of prices by\n"
         "    day; 0 if there is none.",
         [(([7, 1, 5, 3, 6],), 5), (([5, 4, 3],), 0), (([],), 0), (([2],), 0), (([1, 9],), 8),
          (([3, 8, 1, 4],), 5)],
         "    best, low = 0, None\n    for price in prices:\n"
         "        low = price if low is None else min(low, price)\n"
         "        best = max(best, price - low)\n    return best\n",
         "    return max(prices) - min(prices) if prices else 0\n"),
    task("expand(text)",
         "Expands counts before letters: a number says how often the letter after it stands there, and a\n"
         "    letter without a number stands once.",
         [(("3ab2c",), "aaabcc"), (("",), ""), (("12x",), "x" * 12), (("ab",), "ab"), (("0a1b",), "b")],
         "    number, out = '', ''\n    for c in text:\n        if c.isdigit():\n            number += c\n"
         "        else:\n            out += c * (int(number) if number else 1)\n"
         "            number = ''\n    return out\n",
         "    out, count = '', 1\n    for c in text:\n        if c.isdigit():\n"
         "            count = int(c)\n        else:\n            out += c * count\n"
         "            count = 1\n    return out\n"),
    task("free_slots(busy, start, end)",
         "The free times between start and end, as pairs, if the busy times (pairs, in order, not\n"
         "    overlapping, between start and end) are taken.",
         [(([(2, 3), (5, 6)], 0, 8), [(0, 2), (3, 5), (6, 8)]), (([], 1, 4), [(1, 4)]),
          (([(1, 4)], 1, 4), []), (([(1, 2), (2, 3)], 1, 5), [(3, 5)]), (([(3, 5)], 2, 5), [(2, 3)])],
         "    free, at = [], start\n    for a, b in busy + [(end, end)]:\n        if a > at:\n"
         "            free.append((at, a))\n        at = b\n    return free\n",
         "    free, at = [], start\n    for a, b in busy:\n        free.append((at, a))\n"
         "        at = b\n    free.append((at, end))\n    return free\n"),
]


def main():
    import judge
    for one in TASKS:
        assert judge.passes(one, one.right), one.name
        assert not judge.passes(one, one.wrong), one.name
    for body in ["    print('[]')\n", "    import sys; sys.exit(0)\n", "    while True: pass\n", ""]:
        assert not judge.passes(TASKS[0], body), body
    assert len({one.name for one in TASKS}) == len(TASKS)
    print(f"{len(TASKS)} tasks: right bodies pass, wrong ones fail")


if __name__ == "__main__":
    main()
