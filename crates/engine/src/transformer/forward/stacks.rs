//! Two stacks of layers that run by turns (HRM, arXiv 2506.21734): the low one several times for
//! each turn of the high one, each on the sum of what both have made.

use super::super::{LayerConfig, Model, Scratch, StackLevel, weights::After};

impl Model {
    /// high = the embedding, low = what the model learned to begin with.
    pub(super) fn start_stacks(&self, s: &mut Scratch) {
        let Some(stacks) = &self.weights.stacks else { return };
        let start = &stacks.low_start;
        s.high.clone_from(&s.x);
        s.low.resize(s.x.len(), 0.0);
        self.pool.for_each_row(&mut s.low, start.len(), &|_, x| x.copy_from_slice(start));
    }

    /// What is done with products of attention in a run of a layer; none where that is the layer's.
    pub(super) fn of_run(&self, config: &LayerConfig) -> Option<&[After; 4]> {
        self.weights.stacks.as_ref().map(|stacks| &stacks.runs[config.cache])
    }

    /// x = high + low.
    pub(super) fn join_stacks(&self, s: &mut Scratch) {
        s.x.clone_from(&s.high);
        self.add_to_stream(&s.low, &mut s.x);
    }

    /// high or low = the norm of x, after the last layer of a stack. After the last one of all, the
    /// norm before the output takes its place.
    pub(super) fn leave_stack(&self, config: &LayerConfig, s: &mut Scratch) {
        let Some(level) = config.leaves else { return };
        let made = match level {
            StackLevel::Low => &mut s.low,
            StackLevel::High => &mut s.high,
        };
        made.clone_from(&s.x);
        let norm = self.weights.output_norm.as_ref();
        self.pool.for_each_row(made, self.config.d_model, &|_, x| self.norm_in_place(x, norm));
    }
}
