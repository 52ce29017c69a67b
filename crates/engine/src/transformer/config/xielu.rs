//! The parameters of xIELU, an activation that each layer has its own of.

use kelvin_kernels::gate::Xielu;

use super::{super::ModelError, keys::Keys};
use crate::gguf::Value;

/// xIELU's parameters of layer `i`: each key is one number for all layers or a list.
pub(super) fn of_layer(keys: &Keys<'_>, i: usize, n_layers: usize) -> Result<Xielu, ModelError> {
    let read = |key: &str| -> Result<f64, ModelError> {
        let wrong = |problem: String| ModelError::Hyperparameter { key: key.to_string(), problem };
        let x = match keys.metadata.get(key) {
            Some(Value::FloatArray(list)) if list.len() != n_layers => {
                let n = list.len();
                Err(wrong(format!("expected one number for each of {n_layers} layers, found {n}")))
            }
            Some(Value::FloatArray(list)) => Ok(list[i]),
            _ => keys
                .metadata
                .f32(key)?
                .ok_or_else(|| wrong("missing, and there's no default for it".to_string())),
        }?;
        if !x.is_finite() {
            return Err(wrong(format!("expected a finite number, found {x}")));
        }
        Ok(f64::from(x))
    };
    let softplus = |x: f64| if x > 20.0 { x } else { libm::log(1.0 + libm::exp(x)) };
    let beta = read("xielu.beta")?;
    Ok(Xielu {
        positive: softplus(read("xielu.alpha_p")?) as f32,
        negative: (beta + softplus(read("xielu.alpha_n")?)) as f32,
        beta: beta as f32,
        eps: read("xielu.eps")? as f32,
    })
}
