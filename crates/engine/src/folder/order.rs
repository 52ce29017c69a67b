//! In which order the rows of a stored tensor come in GGUF.

use super::rule::Part;

/// Which stored row each row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Rows keep their order.
    AsStored,
    /// A row's number is written in digits of base `dims`, the last one running fastest, and each
    /// digit moves by its stride.
    Digits { dims: [usize; 4], strides: [usize; 4], first: usize },
    /// Stored are, for each key head, its query heads, the key and the value. All queries come
    /// first, then all keys, then all values.
    Fused { n_heads: usize, n_kv_heads: usize, head_dim: usize },
}

impl Order {
    /// The stored row that row number `row` is.
    pub(super) fn of(&self, mut row: usize) -> usize {
        match *self {
            Order::AsStored => row,
            Order::Digits { dims, strides, first } => {
                let mut stored = first;
                for d in (1..4).rev() {
                    stored += row % dims[d] * strides[d];
                    row /= dims[d];
                }
                stored + row * strides[0]
            }
            Order::Fused { n_heads, n_kv_heads, head_dim } => {
                let shared = n_heads / n_kv_heads;
                // Heads of one kind: how many a group has, and where they begin in it.
                let (mut head, at) = (row / head_dim, row % head_dim);
                let (each, start) = if head < n_heads {
                    (shared, 0)
                } else if head < n_heads + n_kv_heads {
                    head -= n_heads;
                    (1, shared)
                } else {
                    head -= n_heads + n_kv_heads;
                    (1, shared + 1)
                };
                let group = head / each * (shared + 2);
                (group + start + head % each) * head_dim + at
            }
        }
    }

    /// Rows of one stored tensor, if the order says it.
    pub(super) fn rows(&self) -> Option<usize> {
        match *self {
            Order::AsStored => None,
            Order::Digits { dims, .. } => Some(dims.iter().product()),
            Order::Fused { n_heads, n_kv_heads, head_dim } => {
                Some((n_heads + 2 * n_kv_heads) * head_dim)
            }
        }
    }

    /// Of each head, rows of the first and the second half in turn.
    pub(super) fn paired(n_heads: usize, head_dim: usize) -> Order {
        let half = head_dim / 2;
        let strides = [0, head_dim, 1, half];
        Order::Digits { dims: [1, n_heads, half, 2], strides, first: 0 }
    }

    /// InternLM 2's wqkv: for each key head its query heads, the key and the value.
    pub(super) fn grouped(part: Part, n_heads: usize, n_kv_heads: usize, head_dim: usize) -> Order {
        let shared = n_heads / n_kv_heads;
        let (group, half) = ((shared + 2) * head_dim, head_dim / 2);
        match part {
            Part::Queries if n_kv_heads == 1 => Order::paired(n_heads, head_dim),
            // A group's queries lie one after the other, so pairs of halves are two digits more.
            Part::Queries => Order::Digits {
                dims: [n_kv_heads, shared, half, 2],
                strides: [group, head_dim, 1, half],
                first: 0,
            },
            Part::Keys => Order::Digits {
                dims: [1, n_kv_heads, half, 2],
                strides: [0, group, 1, half],
                first: shared * head_dim,
            },
            Part::Values => Order::Digits {
                dims: [1, 1, n_kv_heads, head_dim],
                strides: [0, 0, group, 1],
                first: (shared + 1) * head_dim,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(order: Order) -> Vec<usize> {
        (0..order.rows().unwrap()).map(|row| order.of(row)).collect()
    }

    #[test]
    fn orders_are_those_of_the_families() {
        assert_eq!(all(Order::paired(2, 4)), [0, 2, 1, 3, 4, 6, 5, 7]);
        let fused = |n_heads, n_kv_heads| all(Order::Fused { n_heads, n_kv_heads, head_dim: 2 });
        assert_eq!(fused(2, 2), [0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11]);
        assert_eq!(fused(4, 2), [0, 1, 2, 3, 8, 9, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15]);
        assert_eq!(fused(2, 1), [0, 1, 2, 3, 4, 5, 6, 7]);
        // Two groups of two queries, a key and a value, heads of two.
        let grouped = |part| all(Order::grouped(part, 4, 2, 2));
        assert_eq!(grouped(Part::Queries), [0, 1, 2, 3, 8, 9, 10, 11]);
        assert_eq!(grouped(Part::Keys), [4, 5, 12, 13]);
        assert_eq!(grouped(Part::Values), [6, 7, 14, 15]);
        assert_eq!(all(Order::grouped(Part::Keys, 1, 1, 4)), [4, 6, 5, 7]);
        assert_eq!([0, 3, 8].map(|row| Order::AsStored.of(row)), [0, 3, 8]);
    }
}
