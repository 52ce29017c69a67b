//! The date that chat templates get: a given day, or today.

use std::time::{SystemTime, UNIX_EPOCH};

/// A date that isn't written YYYY-MM-DD.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no date: a date is written YYYY-MM-DD, or today")]
pub struct BadDay(
    /// The text that isn't a date.
    pub String,
);

/// The day that templates get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Day {
    /// The current day (UTC) at the time of rendering.
    Today,
    /// A day, as YYYY-MM-DD.
    Named(String),
}

impl Day {
    /// Reads a date, or `today`; without one it is today. Whether the day exists is checked when a
    /// template asks for it.
    ///
    /// # Errors
    /// If the text is neither `today` nor of the form YYYY-MM-DD.
    pub fn read(typed: Option<&str>) -> Result<Day, BadDay> {
        let Some(typed) = typed.filter(|typed| *typed != "today") else { return Ok(Day::Today) };
        let is_part = |(i, b): (usize, u8)| {
            if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() }
        };
        if typed.len() == 10 && typed.bytes().enumerate().all(is_part) {
            return Ok(Day::Named(typed.to_string()));
        }
        Err(BadDay(typed.to_string()))
    }

    /// A day, as YYYY-MM-DD.
    pub fn date(&self) -> String {
        match self {
            Day::Named(date) => date.clone(),
            Day::Today => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH);
                civil(since.map_or(0, |since| since.as_secs() / 86_400))
            }
        }
    }
}

/// The Gregorian date `days` days after 1970-01-01.
fn civil(days: u64) -> String {
    // Years begin in March here, so that the leap day is the last one. 719468 days lie between
    // 0000-03-01 and 1970-01-01; an era has 400 years, which are 146097 days.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let leaps = day_of_era / 1_460 - day_of_era / 36_524 + day_of_era / 146_096;
    let year_of_era = (day_of_era - leaps) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read() {
        assert_eq!(Day::read(None).unwrap(), Day::Today);
        assert_eq!(Day::read(Some("today")).unwrap(), Day::Today);
        assert_eq!(Day::read(Some("2026-11-23")).unwrap().date(), "2026-11-23");
        for bad in ["2026-11-3", "tomorrow", "2026/11/23", ""] {
            let error = Day::read(Some(bad)).unwrap_err().to_string();
            assert!(error.contains("YYYY-MM-DD, or today"), "{error}");
        }
    }

    #[test]
    fn days_since_1970_have_dates() {
        // Expected values from Python's datetime.
        for (days, date) in [
            (0, "1970-01-01"),
            (59, "1970-03-01"),
            (11_016, "2000-02-29"),
            (11_017, "2000-03-01"),
            (20_785, "2026-11-28"),
            (47_540, "2100-02-28"),
            (47_541, "2100-03-01"),
        ] {
            assert_eq!(civil(days), date);
        }
    }
}
