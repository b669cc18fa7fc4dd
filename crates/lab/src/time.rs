//! Times of the past that profiles tell of: UTC, in 100 ns since 1601, as Windows counts.

/// 100 ns units of a second.
pub(crate) const SECOND: u64 = 10_000_000;
/// 100 ns units of a minute.
pub(crate) const MINUTE: u64 = 60 * SECOND;
/// 100 ns units of an hour.
pub(crate) const HOUR: u64 = 60 * MINUTE;
/// 100 ns units of a day.
pub(crate) const DAY: u64 = 24 * HOUR;

/// A minute of a day, in 100 ns since 1601. The proleptic Gregorian calendar from 1601 on; month and day from 1.
pub const fn at(year: u64, month: u64, day: u64, hour: u64, minute: u64) -> u64 {
    days(year, month, day) * DAY + hour * HOUR + minute * MINUTE
}

/// Days since 1601-01-01. Years begin in March here, so that the leap day is the last.
const fn days(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let of_year = (153 * month + 2) / 5 + day - 1;
    let since_year_0 = 365 * year + year / 4 - year / 100 + year / 400 + of_year;
    // 1600-03-01 is day 584,388 of that count; 306 days later is 1601-01-01.
    since_year_0 - 584_388 - 306
}

/// Year, month, day, hour, minute, second.
pub(crate) fn civil(time: u64) -> [u64; 6] {
    let (day_number, rest) = (time / DAY, time % DAY / SECOND);
    let in_400_years = (day_number + 306) % 146_097;
    let era = (day_number + 306) / 146_097;
    let year_of_era =
        (in_400_years - in_400_years / 1460 + in_400_years / 36_524 - in_400_years / 146_096) / 365;
    let day_of_year = in_400_years - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = 1600 + 400 * era + year_of_era + u64::from(month <= 2);
    [year, month, day, rest / 3600, rest / 60 % 60, rest % 60]
}

/// As log files have it: `2024-01-10 03:12:45`.
pub(crate) fn stamp(time: u64) -> String {
    let [year, month, day, hour, minute, second] = civil(time);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calendar_is_right() {
        assert_eq!(at(1601, 1, 1, 0, 0), 0);
        assert_eq!(at(1970, 1, 1, 0, 0), 116_444_736_000_000_000);
        assert_eq!(at(2022, 3, 1, 12, 0), crate::identity::TIME);
        for (time, text) in [
            (at(2024, 2, 29, 23, 59) + 58 * SECOND, "2024-02-29 23:59:58"),
            (at(2000, 12, 31, 0, 0), "2000-12-31 00:00:00"),
            (at(1700, 3, 1, 1, 2), "1700-03-01 01:02:00"),
            (at(2026, 11, 21, 15, 35), "2026-11-21 15:35:00"),
        ] {
            assert_eq!(stamp(time), text);
        }
        for day in 0..400_000 {
            let [year, month, of_month, ..] = civil(day * DAY);
            assert_eq!(at(year, month, of_month, 0, 0), day * DAY);
        }
    }
}
