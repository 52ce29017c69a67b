//! The values of one setting, by prompt and sample.

/// For each prompt its samples' values, by sample; `None` where a value is missing.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    prompts: Vec<Vec<Option<f64>>>,
    /// The bounds of a value.
    ends: (f64, f64),
}

impl Series {
    /// A series of values by prompt and sample.
    pub fn new(prompts: Vec<Vec<Option<f64>>>) -> Series {
        Series { prompts, ends: (f64::NEG_INFINITY, f64::INFINITY) }
    }

    /// A series whose values lie within bounds.
    pub fn within(self, least: f64, most: f64) -> Series {
        Series { ends: (least, most), ..self }
    }

    /// The bounds of a value, and so of the mean.
    pub fn ends(&self) -> (f64, f64) {
        self.ends
    }

    /// The values by prompt and sample.
    pub fn prompts(&self) -> &[Vec<Option<f64>>] {
        &self.prompts
    }

    /// The number of values.
    pub fn len(&self) -> usize {
        self.prompts.iter().flatten().flatten().count()
    }

    /// Whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The mean over prompts of the means over their samples: every prompt has equal weight.
    pub fn mean(&self) -> Option<f64> {
        let means = self.clusters();
        let sum: f64 = means.iter().map(|values| mean(values)).sum();
        (!means.is_empty()).then(|| sum / means.len() as f64)
    }

    /// The paired differences `self - other`. Samples with equal numbers share their random
    /// numbers, so common chance cancels. Missing where either value is missing.
    pub fn minus(&self, other: &Series) -> Series {
        let pairs = |(a, b): (&Vec<Option<f64>>, &Vec<Option<f64>>)| {
            a.iter().zip(b).map(|(a, b)| Some((*a)? - (*b)?)).collect()
        };
        let differences = self.prompts.iter().zip(&other.prompts).map(pairs).collect();
        let ((least, most), (other_least, other_most)) = (self.ends, other.ends);
        Series::new(differences).within(least - other_most, most - other_least)
    }

    /// The existing values of each prompt that has any.
    pub(crate) fn clusters(&self) -> Vec<Vec<f64>> {
        let there = |values: &Vec<Option<f64>>| values.iter().flatten().copied().collect();
        self.prompts.iter().map(there).filter(|values: &Vec<f64>| !values.is_empty()).collect()
    }
}

/// The mean of at least one value.
pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_weigh_the_same_and_pairs_need_both() {
        let a =
            Series::new(vec![vec![Some(1.0), Some(3.0)], vec![Some(8.0), None], vec![None, None]]);
        let b =
            Series::new(vec![vec![Some(1.0), Some(1.0)], vec![None, Some(2.0)], vec![None, None]]);
        assert_eq!((a.mean(), a.len()), (Some(5.0), 3));
        let minus = a.minus(&b);
        assert_eq!(minus.prompts()[0], [Some(0.0), Some(2.0)]);
        assert_eq!((minus.mean(), minus.len()), (Some(1.0), 2));
        assert_eq!(Series::new(Vec::new()).mean(), None);
    }

    #[test]
    fn differences_reach_as_far_as_both_allow() {
        let of = |least, most| Series::new(vec![vec![Some(1.0)]]).within(least, most);
        assert_eq!(of(1.0, 4.0).minus(&of(1.0, 4.0)).ends(), (-3.0, 3.0));
        assert_eq!(of(0.0, f64::INFINITY).minus(&of(0.0, 1.0)).ends(), (-1.0, f64::INFINITY));
        let open = Series::new(Vec::new());
        assert_eq!(open.minus(&open).ends(), (f64::NEG_INFINITY, f64::INFINITY));
    }
}
