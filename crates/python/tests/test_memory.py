"""Arrays that needn't be copied aren't: told by their addresses."""

from typing import Any

import kelvin
import numpy as np
import pyarrow
from kelvin._kelvin import row_addresses


def addresses(rows: np.ndarray[Any, Any]) -> list[int]:
    return [int(row.ctypes.data) for row in np.atleast_2d(rows)]


def test_logits_of_32_bits_are_read_where_they_are() -> None:
    rows = np.arange(4 * 50, dtype=np.float32).reshape(4, 50)
    read_only = rows.copy()
    read_only.flags.writeable = False
    for given in [rows[0], rows, rows[1:3], rows[:, 10:40], rows[::2], rows[::-1], read_only,
                  np.frombuffer(rows.tobytes(), np.float32)]:
        assert row_addresses(given) == addresses(given)
    # These can't be read in place: other types, strides within a row, big-endian numbers.
    for given in [rows.astype(np.float64), rows[:, ::2], np.asfortranarray(rows),
                  rows.astype(">f4"), rows.astype(np.float16)]:
        assert not set(row_addresses(given)) & set(addresses(given))


def test_answers_are_handed_out_once() -> None:
    left = kelvin.Chain("temp=2 | top_k=3").apply(np.arange(10, dtype=np.float32))
    assert left.ids is left.ids and left.logits is left.logits
    assert left.probabilities.ctypes.data == left.probabilities.ctypes.data
    # numpy owns what Kelvin computed: nothing is copied on the way out.
    assert all(array.base is not None for array in (left.ids, left.logits, left.probabilities))


def test_a_function_gets_a_copy() -> None:
    row, seen = np.arange(5, dtype=np.float32), []

    def stage(given: Any) -> None:
        seen.append(given.ctypes.data)
        given[:] = 0

    kelvin.Chain("temp=2", stage).apply(row)
    assert seen != [row.ctypes.data] and row.tolist() == [0, 1, 2, 3, 4]


def test_tables_are_handed_out_without_a_copy(run: kelvin.lab.Run) -> None:
    table = run.tokens

    def buffers(arrow: pyarrow.Table) -> list[int]:
        return [buffer.address for column in arrow.columns for chunk in column.chunks
                for buffer in chunk.buffers() if buffer is not None]

    first, second = pyarrow.table(table), pyarrow.table(table)
    assert len(buffers(first)) > 20 and buffers(first) == buffers(second)
