//! Formats dates with `strftime`. Templates get a given date and never the clock, so equal recipes
//! give equal prompts.

use super::error::ChatError;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// A day of the proleptic Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Date {
    year: u32,
    /// 1 to 12.
    month: u32,
    /// 1 to 31.
    day: u32,
}

impl Date {
    /// Reads `YYYY-MM-DD`.
    pub(super) fn parse(text: &str) -> Result<Date, ChatError> {
        let bad = || ChatError::BadDate { found: text.into() };
        let digits = |range: std::ops::Range<usize>| -> Result<u32, ChatError> {
            let part = text.get(range).filter(|part| part.bytes().all(|b| b.is_ascii_digit()));
            part.and_then(|part| part.parse().ok()).ok_or_else(bad)
        };
        let dashes = text.len() == 10 && text.as_bytes()[4] == b'-' && text.as_bytes()[7] == b'-';
        let date = Date { year: digits(0..4)?, month: digits(5..7)?, day: digits(8..10)? };
        let fits = (1..=12).contains(&date.month)
            && (1..=days_in_month(date.year, date.month)).contains(&date.day);
        if dashes && date.year >= 1 && fits { Ok(date) } else { Err(bad()) }
    }

    /// Formats midnight of this day as Python's `strftime` does in the C locale. `Err` holds an
    /// unsupported code.
    pub(super) fn format(self, format: &str) -> Result<String, String> {
        let mut out = String::new();
        let mut chars = format.chars();
        while let Some(c) = chars.next() {
            if c != '%' {
                out.push(c);
                continue;
            }
            let mut code = chars.next().ok_or("%")?;
            // glibc's flags: no padding, spaces or zeros as padding, upper case.
            let flag = Some(code).filter(|c| "-_0^".contains(*c));
            if flag.is_some() {
                code = chars.next().ok_or_else(|| format!("%{code}"))?;
            }
            let text = self.code(code).ok_or_else(|| format!("%{code}"))?;
            let digits = text.trim_start_matches(['0', ' ']);
            let is_number =
                !text.is_empty() && text.bytes().all(|b| b == b' ' || b.is_ascii_digit());
            // A zero keeps its last digit.
            let digits =
                if digits.is_empty() { &text[text.len().saturating_sub(1)..] } else { digits };
            let padding = text.len() - digits.len();
            out += &match flag {
                Some('-') if is_number => digits.to_string(),
                Some('_') if is_number => " ".repeat(padding) + digits,
                Some('0') if is_number => "0".repeat(padding) + digits,
                Some('^') => text.to_uppercase(),
                _ => text,
            };
        }
        Ok(out)
    }

    fn code(self, code: char) -> Option<String> {
        let Date { year, month, day } = self;
        let month_name = MONTHS[month as usize - 1];
        Some(match code {
            'Y' => year.to_string(),
            'y' => format!("{:02}", year % 100),
            'm' => format!("{month:02}"),
            'B' => month_name.into(),
            'b' | 'h' => month_name[..3].into(),
            'd' => format!("{day:02}"),
            'e' => format!("{day:2}"),
            'j' => format!("{:03}", self.day_of_year()),
            'A' => self.weekday().into(),
            'a' => self.weekday()[..3].into(),
            'F' => format!("{year}-{month:02}-{day:02}"),
            'D' | 'x' => format!("{month:02}/{day:02}/{:02}", year % 100),
            'H' | 'M' | 'S' => "00".into(),
            'k' => " 0".into(),
            'I' | 'l' => "12".into(),
            'p' => "AM".into(),
            'P' => "am".into(),
            'f' => "000000".into(),
            'T' | 'X' => "00:00:00".into(),
            'R' => "00:00".into(),
            'r' => "12:00:00 AM".into(),
            'c' => format!("{} {} {day:2} 00:00:00 {year}", &self.weekday()[..3], &month_name[..3]),
            // The day has no time zone.
            'z' | 'Z' => String::new(),
            'C' => format!("{:02}", year / 100),
            'u' => (self.days_since_monday() + 1).to_string(),
            'w' => ((self.days_since_monday() + 1) % 7).to_string(),
            // Weeks of the year: the first Sunday or Monday begins week 1.
            'U' => {
                format!("{:02}", (self.day_of_year() + 6 - (self.days_since_monday() + 1) % 7) / 7)
            }
            'W' => format!("{:02}", (self.day_of_year() + 6 - self.days_since_monday()) / 7),
            'G' => self.iso_week().0.to_string(),
            'g' => format!("{:02}", self.iso_week().0 % 100),
            'V' => format!("{:02}", self.iso_week().1),
            'n' => "\n".into(),
            't' => "\t".into(),
            '%' => "%".into(),
            _ => return None,
        })
    }

    fn day_of_year(self) -> u32 {
        (1..self.month).map(|month| days_in_month(self.year, month)).sum::<u32>() + self.day
    }

    fn weekday(self) -> &'static str {
        WEEKDAYS[self.days_since_monday() as usize]
    }

    /// 0 for a Monday, 6 for a Sunday.
    fn days_since_monday(self) -> u32 {
        // 1 January of year 1 was a Monday.
        let before = self.year - 1;
        let days = before * 365 + before / 4 - before / 100 + before / 400 + self.day_of_year() - 1;
        days % 7
    }

    /// The year and week of ISO 8601: a week is of the year that its Thursday is in.
    fn iso_week(self) -> (u32, u32) {
        let thursday = self.day_of_year() as i64 + 3 - i64::from(self.days_since_monday());
        let length = |year: u32| 337 + i64::from(days_in_month(year, 2));
        let (year, day) = match thursday {
            day if day < 1 => (self.year - 1, day + length(self.year.max(2) - 1)),
            day if day > length(self.year) => (self.year + 1, day - length(self.year)),
            day => (self.year, day),
        };
        (year, (day as u32).div_ceil(7))
    }
}

fn days_in_month(year: u32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400) => {
            29
        }
        2 => 28,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_as_python_does() {
        // Expected values from Python's datetime.
        let check = |date: &str, format: &str, expected: &str| {
            assert_eq!(Date::parse(date).unwrap().format(format).unwrap(), expected);
        };
        check("2024-07-26", "%d %b %Y", "26 Jul 2024");
        check("2024-02-29", "%A, %B %-d, %Y (%j)", "Thursday, February 29, 2024 (060)");
        check("2026-11-23", "%a %F %D %y%%", "Mon 2026-11-23 11/23/26 26%");
        check("1999-12-31", "%e %m %H:%M:%S %I %p %j", "31 12 00:00:00 12 AM 365");
        assert_eq!(Date::parse("2024-07-26").unwrap().format("%Q"), Err("%Q".into()));
    }

    #[test]
    fn refuses_what_is_no_date() {
        for text in [
            "",
            "today",
            "2024-7-26",
            "2023-02-29",
            "2024-13-01",
            "2024-00-10",
            "0000-01-01",
            "2024-01-32",
            "2024/01/01",
            "+024-01-01",
            "2024-01-0é",
        ] {
            assert!(Date::parse(text).is_err(), "{text}");
        }
    }
}
