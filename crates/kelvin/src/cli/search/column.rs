//! A search as a column of `compare`: `--search beam:4`, `--search mbr:16,temp:0.7`.

use kelvin_engine::search::{By, EarlyStopping, Method, Wanted};
use kelvin_sampling::{Chain, Temp};

use super::{
    args::Utility,
    plan::{Plan, Typed},
};
use crate::cli::shared::{args::LengthArgs, failure::usage, number, options::Controls};

/// Settings after the method's number, and what they are of.
const SETTINGS: [&str; 7] =
    ["groups", "diversity_penalty", "length_penalty", "early_stopping", "by", "utility", "temp"];

/// A column of a search.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// The search as it was typed.
    pub(crate) typed: String,
    pub(crate) plan: Plan,
    /// The distribution that is searched.
    pub(crate) chain: Chain,
}

impl Asked {
    /// The column of a value of `--search`. `controls` are the other flags' stages, which it
    /// searches at its own temperature. `in_form` says whether its texts keep to a form.
    pub(crate) fn new(
        typed: &str,
        controls: &Controls,
        length: &LengthArgs,
        in_form: bool,
    ) -> anyhow::Result<Asked> {
        let asked = || -> anyhow::Result<Asked> {
            let (how, temp) = read(typed).map_err(usage)?;
            let how = Typed { in_form, ..how };
            let chain = controls.of(temp)?;
            let plan = how.plan(&chain, length.max_tokens, str::to_string)?;
            plan.check_phases(&length.bans, &chain)?;
            Ok(Asked { typed: typed.trim().to_string(), plan, chain })
        };
        asked().map_err(|error| error.context(format!("--search {typed}")))
    }

    /// Whether another column would have the same texts.
    pub(crate) fn equals(&self, other: &Asked) -> bool {
        self.plan == other.plan && self.chain == other.chain
    }
}

/// Reads `METHOD:N,SETTING:VALUE,…`: the method's settings, and the temperature.
fn read(typed: &str) -> Result<(Typed, Option<f32>), String> {
    let mut parts = typed.split(',').map(str::trim);
    let first = parts.next().unwrap_or_default();
    let (name, n) = first.split_once(':').map_or((first, None), |(name, n)| (name, Some(n)));
    let method = Method::named(name).ok_or_else(|| {
        let names: Vec<&str> = Method::ALL.iter().map(|method| method.name()).collect();
        format!("there is no method \"{name}\", but {}", names.join(", "))
    })?;
    let mut how = Typed { method, wanted: Wanted::default(), utility: None, in_form: false };
    let is_drawn = matches!(method, Method::BestOf | Method::Mbr);
    let n = n.map(|n| {
        number::count(n).map_err(|problem| format!("{problem} after \"{name}:\", not \"{n}\""))
    });
    let of = if is_drawn { &mut how.wanted.samples } else { &mut how.wanted.beams };
    *of = n.transpose()?;
    let (mut temp, mut known) = (None, Vec::new());
    for part in parts {
        let (setting, value) = part.split_once(':').ok_or_else(|| {
            format!("\"{part}\" is no setting: one is NAME:VALUE, such as length_penalty:0")
        })?;
        let setting = setting.trim().replace('-', "_");
        if known.contains(&setting) {
            return Err(format!("{setting} is given twice"));
        }
        set(&mut how, &mut temp, &setting, value.trim())
            .map_err(|problem| format!("{setting}: {problem}"))?;
        known.push(setting);
    }
    Ok((how, temp))
}

/// Sets one setting.
fn set(how: &mut Typed, temp: &mut Option<f32>, setting: &str, value: &str) -> Result<(), String> {
    let wanted = &mut how.wanted;
    let one_of = |names: Vec<&str>| format!("it is {}, not \"{value}\"", names.join(" or "));
    match setting {
        "groups" => wanted.groups = Some(number::count(value)?),
        "diversity_penalty" => wanted.diversity_penalty = Some(number::real(value)?),
        "length_penalty" => wanted.length_penalty = Some(number::real(value)?),
        "early_stopping" => {
            let names = || one_of(EarlyStopping::ALL.map(EarlyStopping::name).to_vec());
            wanted.early_stopping = Some(EarlyStopping::named(value).ok_or_else(names)?);
        }
        "by" => {
            let names = || one_of(By::ALL.map(By::name).to_vec());
            wanted.by = Some(By::named(value).ok_or_else(names)?);
        }
        "utility" => {
            let names = || one_of(Utility::ALL.map(Utility::name).to_vec());
            how.utility = Some(Utility::named(value).ok_or_else(names)?);
        }
        "temp" => {
            let unfit =
                |_| format!("a temperature is {} such as 0.7, not \"{value}\"", Temp::ALLOWED);
            *temp = Some(value.parse::<Temp>().map_err(unfit)?.get());
        }
        _ => return Err(format!("there is no such setting, but {}", SETTINGS.join(", "))),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_its_number_and_its_settings() {
        let of = |typed: &str| read(typed).unwrap();
        let (how, temp) = of("beam");
        assert_eq!((how.method, how.wanted, temp), (Method::Beam, Wanted::default(), None));
        let (how, _) = of("diverse:6, groups:3, diversity-penalty:2");
        let wanted = Wanted {
            beams: Some(6),
            groups: Some(3),
            diversity_penalty: Some(2.0),
            ..Wanted::default()
        };
        assert_eq!((how.method, how.wanted), (Method::Diverse, wanted));
        let (how, temp) = of("mbr:16,temp:0.7,utility:meaning");
        assert_eq!((how.wanted.samples, how.utility), (Some(16), Some(Utility::Meaning)));
        assert_eq!(temp, Some(0.7));
        let (how, _) = of("beam:4,length_penalty:-1,early_stopping:never");
        assert_eq!(how.wanted.length_penalty, Some(-1.0));
        assert_eq!(how.wanted.early_stopping, Some(EarlyStopping::Never));
        assert_eq!(of("best-of,by:sum").0.wanted.by, Some(By::Sum));
    }

    #[test]
    fn what_is_no_search_says_what_is_one() {
        for (typed, words) in [
            ("hot:4", "there is no method \"hot\", but beam, diverse, stochastic, best-of, mbr"),
            ("", "there is no method \"\""),
            ("beam:x", "a whole number such as 4 was expected after \"beam:\", not \"x\""),
            ("beam:4,groups", "\"groups\" is no setting: one is NAME:VALUE"),
            ("beam:4,width:3", "width: there is no such setting, but groups, "),
            ("beam:4,temp:1,temp:2", "temp is given twice"),
            ("beam:4,temp:-1", "temp: a temperature is "),
            ("best-of:4,by:likes", "by: it is sum or mean, not \"likes\""),
            ("beam:4,early_stopping:maybe", "early_stopping: it is true or false or never"),
            ("beam:4,length_penalty:long", "length_penalty: a number such as 0.5"),
        ] {
            let said = read(typed).unwrap_err();
            assert!(said.contains(words), "{typed}: {said}");
        }
    }
}
