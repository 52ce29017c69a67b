//! A column of a recipe's table: how its texts are drawn.

use std::{fmt, str::FromStr};

use kelvin_engine::texts::{AskError, TextTemp};
use kelvin_sampling::{Chain, ChainError};

/// How the texts of a column are drawn.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// Token by token, by a chain.
    Tokens(Chain),
    /// As a whole, at a temperature of texts.
    Texts(TextTemp),
}

/// Why a column can't be read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ColumnError {
    /// It isn't a chain.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// It isn't a temperature of texts.
    #[error(transparent)]
    Texts(#[from] AskError),
}

impl Column {
    /// The chain, if texts are drawn token by token.
    pub fn chain(&self) -> Option<&Chain> {
        match self {
            Column::Tokens(chain) => Some(chain),
            Column::Texts(_) => None,
        }
    }

    /// The temperature of texts, if they are drawn as a whole.
    pub fn texts(&self) -> Option<TextTemp> {
        match self {
            Column::Tokens(_) => None,
            Column::Texts(texts) => Some(*texts),
        }
    }

    /// The temperature, of tokens or of texts, if there is a single one.
    pub fn temperature(&self) -> Option<f32> {
        match self {
            Column::Tokens(chain) => chain.temperature(),
            Column::Texts(texts) => Some(texts.temperature.get()),
        }
    }
}

impl From<Chain> for Column {
    fn from(chain: Chain) -> Column {
        Column::Tokens(chain)
    }
}

/// The notation of a chain, or of a temperature of texts.
impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Column::Tokens(chain) => chain.fmt(f),
            Column::Texts(texts) => texts.fmt(f),
        }
    }
}

impl FromStr for Column {
    type Err = ColumnError;

    fn from_str(text: &str) -> Result<Column, ColumnError> {
        match text.trim_start().starts_with(TextTemp::NAME) {
            true => Ok(Column::Texts(text.parse()?)),
            false => Ok(Column::Tokens(text.parse()?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_a_chain_or_a_temperature_of_texts() {
        let chain: Column = "temp=0.5 | top_k=4".parse().unwrap();
        assert_eq!((chain.temperature(), chain.texts()), (Some(0.5), None));
        assert_eq!(chain.to_string().parse(), Ok(chain));
        let texts: Column = "text_temp=0.5".parse().unwrap();
        assert_eq!((texts.temperature(), texts.chain()), (Some(0.5), None));
        assert_eq!(texts.to_string(), "text_temp=0.5,smc:16");
        assert_eq!(texts.to_string().parse(), Ok(texts));
        assert!(matches!("tmp=1".parse::<Column>(), Err(ColumnError::Chain(_))));
        assert!(matches!("text_temp=x".parse::<Column>(), Err(ColumnError::Texts(_))));
    }
}
