//! Guidance, added once: what a code means and what to do next. Inner layers never speak to the user.

use crate::text::Text;
use serde::Serialize;

/// A code in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explained {
    /// One line.
    pub title: Text,
    /// What was found, where, and what it means.
    pub detail: Text,
    /// What to do next.
    pub next: Text,
}

impl Explained {
    pub(crate) fn new(title: impl Into<Text>, detail: impl Into<Text>, next: impl Into<Text>) -> Self {
        Self {
            title: title.into(),
            detail: detail.into(),
            next: next.into(),
        }
    }
}

/// Bytes for people: MiB with two decimals, from 1 GiB on GiB with two decimals, from 10 GiB on with one. Whole numbers
/// stay whole, because limits and what a user asks for are: 250 MiB, 1550 MiB, 2 GiB.
pub fn size(bytes: u64) -> String {
    const KIB: f64 = 1024.0;
    const GIB: u64 = 1 << 30;
    let (mib, gib) = (bytes as f64 / KIB / KIB, bytes as f64 / KIB / KIB / KIB);
    match bytes {
        1..0x10_0000 => format!("{:.1} KiB", bytes as f64 / KIB),
        _ if bytes >= 10 * GIB => format!("{gib:.1} GiB"),
        _ if bytes >= GIB && bytes.is_multiple_of(GIB) => format!("{} GiB", bytes / GIB),
        _ if bytes < 4 * GIB && bytes.is_multiple_of(1 << 20) => format!("{} MiB", bytes >> 20),
        _ if bytes >= GIB => format!("{gib:.2} GiB"),
        _ => format!("{mib:.2} MiB"),
    }
}

/// A FILETIME (100 ns since 1601) to the minute: `2024-01-31 23:59 UTC`.
pub fn utc(filetime: u64) -> String {
    let ([year, month, day], [hour, minute, _]) = date_and_time(filetime);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02} UTC")
}

/// A FILETIME to the second, in the form of RFC 3339: `2024-01-31T23:59:59Z`.
pub fn rfc3339(filetime: u64) -> String {
    let ([year, month, day], [hour, minute, second]) = date_and_time(filetime);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

fn date_and_time(filetime: u64) -> ([u64; 3], [u64; 3]) {
    let seconds = filetime / 10_000_000;
    let (mut days, seconds) = (seconds / 86_400, seconds % 86_400);
    // 1601 begins a cycle of 400 years: in each unit only the last one is a day longer or shorter.
    let mut take = |unit_days: u64, units_max: u64| {
        let units = (days / unit_days).min(units_max);
        days -= units * unit_days;
        units
    };
    let (cycles, centuries) = (take(146_097, u64::MAX), take(36_524, 3));
    let (fours, years) = (take(1461, u64::MAX), take(365, 3));
    let is_leap = years == 3 && (fours != 24 || centuries == 3);
    let lengths = [
        31,
        28 + u64::from(is_leap),
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    let mut month = 1;
    for length in lengths {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    let year = 1601 + cycles * 400 + centuries * 100 + fours * 4 + years;
    (
        [year, month, days + 1],
        [seconds / 3600, seconds / 60 % 60, seconds % 60],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_exact_where_they_can_be() {
        const MIB: u64 = 1 << 20;
        for (bytes, text) in [
            (0, "0 MiB"),
            (1, "0.0 KiB"),
            (29_696, "29.0 KiB"),
            (250 * MIB, "250 MiB"),
            (250 * MIB - 4096, "250.00 MiB"),
            (1023 * MIB + 1, "1023.00 MiB"),
            (1024 * MIB, "1 GiB"),
            (1550 * MIB, "1550 MiB"),
            (1550 * MIB + 4096, "1.51 GiB"),
            (2048 * MIB, "2 GiB"),
            (4095 * MIB, "4095 MiB"),
            (7717 * MIB, "7.54 GiB"),
            (8192 * MIB, "8 GiB"),
            (8192 * MIB + 1, "8.00 GiB"),
            (10_240 * MIB, "10.0 GiB"),
            (u64::MAX, "17179869184.0 GiB"),
        ] {
            assert_eq!(size(bytes), text, "{bytes}");
        }
    }

    #[test]
    fn dates_at_the_edges_of_the_calendar() {
        const DAY: u64 = 864_000_000_000;
        // Days since 1601 by `date -u -d DATE +%s`, divided by 86400, plus 134774.
        for (days, date) in [
            (0, "1601-01-01"),
            (36_217, "1700-02-28"),
            (36_218, "1700-03-01"),
            (134_774, "1970-01-01"),
            (145_790, "2000-02-29"),
            (145_791, "2000-03-01"),
            (146_096, "2000-12-31"),
            (146_097, "2001-01-01"),
            (154_557, "2024-03-01"),
            (154_862, "2024-12-31"),
        ] {
            assert_eq!(utc(days * DAY), format!("{date} 00:00 UTC"));
        }
        let late = 154_862 * DAY + DAY - 1;
        assert_eq!(utc(late), "2024-12-31 23:59 UTC");
        assert_eq!(rfc3339(late), "2024-12-31T23:59:59Z");
        assert!(utc(u64::MAX).starts_with("60056-"));
    }
}
