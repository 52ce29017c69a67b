//! Compiles the form that a request asks for to a constraint.

use kelvin_constraint::{Form, FormError};
use kelvin_engine::{batch::GenerateError, generate::Constraint};
use kelvin_sampling::Chain;

use super::{
    Shared,
    problem::Problem,
    requests::{ResponseFormat, StructuredOutputs, TextFormat, unusable},
};

/// A form of structured output, and the parameter that asks for it.
pub(crate) struct Wanted {
    name: &'static str,
    form: Form,
}

impl Wanted {
    /// The form of a request, which is asked for in one of these ways.
    pub(crate) fn of(
        text_format: Option<TextFormat>,
        response_format: Option<ResponseFormat>,
        outputs: Option<StructuredOutputs>,
    ) -> Result<Option<Wanted>, Problem> {
        let ways = [
            ("text.format", text_format.and_then(TextFormat::form)),
            ("response_format", response_format.and_then(ResponseFormat::form)),
            ("structured_outputs", outputs.map(|outputs| outputs.0)),
        ];
        let mut given =
            ways.into_iter().filter_map(|(name, form)| Some(Wanted { name, form: form? }));
        match (given.next(), given.next()) {
            (Some(first), Some(second)) => {
                let (first, second) = (first.name, second.name);
                let message = format!("\"{second}\" and \"{first}\" can't be given together");
                Err(Problem::parameter(second, message))
            }
            (first, _) => Ok(first),
        }
    }

    /// The parameter that asks for it.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// The form of a request that has one, compiled. Refuses chains with places in JSON where the
    /// texts aren't JSON.
    pub(crate) fn compiled<'a>(
        wanted: Option<&Wanted>,
        chains: impl IntoIterator<Item = &'a Chain>,
        shared: &Shared,
    ) -> Result<Option<Box<dyn Constraint>>, Problem> {
        let form = wanted.map(|wanted| wanted.compile(shared)).transpose()?;
        let is_json = form.as_ref().is_some_and(|form| form.is_json());
        match chains.into_iter().find_map(Chain::place_of_json) {
            Some(place) if !is_json => {
                Err(Problem::parameter("sampler", GenerateError::NotJson { place }.to_string()))
            }
            _ => Ok(form),
        }
    }

    fn compile(&self, shared: &Shared) -> Result<Box<dyn Constraint>, Problem> {
        let Wanted { name, form } = self;
        // The first one who asks waits until the vocabulary is ready.
        let forms = shared.forms.get_or_init(|| (shared.make_forms)(&shared.engine.tokenizer));
        let compiled = forms.as_ref().map_err(Clone::clone).and_then(|forms| forms.compile(form));
        compiled.map_err(|error| match error {
            FormError::Busy => {
                let message = format!("\"{name}\" can't be compiled now: {error}");
                Problem::busy("constraints_busy", message)
            }
            FormError::Failed(_) => Problem::failed(error.to_string()),
            _ => unusable(name, &error),
        })
    }
}
