"""Means and differences over prompts or tasks, with 95 % intervals of Student's t."""

import math

# The quantile 0.975 of Student's t for 1, 2, … 30 degrees of freedom.
T = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160,
     2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056,
     2.052, 2.048, 2.045, 2.042]


def interval(values):
    """The mean, and the interval's half width; none of fewer than two values."""
    n = len(values)
    mean = sum(values) / n
    if n < 2:
        return mean, None
    error = math.sqrt(sum((v - mean) ** 2 for v in values) / (n - 1) / n)
    return mean, (T[n - 2] if n - 2 < len(T) else 1.96) * error


def cell(values, digits, is_share=False):
    """A mean and its interval, cut to 0 … 1 for a share."""
    mean, half = interval(values)
    if half is None:
        return f"{mean:.{digits}f}"
    low, high = mean - half, mean + half
    if is_share:
        low, high = max(low, 0.0), min(high, 1.0)
    return f"{mean:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def difference(values, digits):
    """A mean difference, bold where the interval excludes zero."""
    mean, half = interval(values)
    text = cell(values, digits)
    return f"**{text}**" if half is not None and abs(mean) > half else text
