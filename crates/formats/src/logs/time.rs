//! Times as logs have them.

/// A date and a time of day in the local time of the computer that wrote it; the log does not say which zone that is.
/// Later times compare greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogTime {
    /// Year, four digits.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 60.
    pub second: u8,
}

impl LogTime {
    /// The time `YYYY-MM-DD HH:MM:SS` with which `text` begins, and what stands behind it.
    pub fn parse(text: &str) -> Option<(Self, &str)> {
        let (head, rest) = text.split_at_checked(19)?;
        let separators = [(4, b'-'), (7, b'-'), (10, b' '), (13, b':'), (16, b':')];
        let is_separated = |&(at, byte): &(usize, u8)| head.as_bytes().get(at) == Some(&byte);
        if !separators.iter().all(is_separated) {
            return None;
        }
        let number = |from: usize, to: usize| -> Option<u16> {
            let digits = head.get(from..to)?;
            let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| digits.parse().ok()).flatten()
        };
        let part = |from: usize, least: u16, most: u16| -> Option<u8> {
            let number = number(from, from + 2)?;
            u8::try_from(number)
                .ok()
                .filter(|_| (least..=most).contains(&number))
        };
        let time = Self {
            year: number(0, 4)?,
            month: part(5, 1, 12)?,
            day: part(8, 1, 31)?,
            hour: part(11, 0, 23)?,
            minute: part(14, 0, 59)?,
            second: part(17, 0, 60)?,
        };
        Some((time, rest))
    }
}

impl std::fmt::Display for LogTime {
    /// As logs have it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            year,
            month,
            day,
            hour,
            minute,
            second,
        } = self;
        write!(
            f,
            "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"
        )
    }
}
