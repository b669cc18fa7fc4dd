//! Times of the report (RFC 3339, UTC), as people read them and as numbers to draw with.

/// Seconds in a day.
pub const DAY: i64 = 86_400;

/// `2024-01-31T23:59:59Z` as `2024-01-31 23:59:59`; anything else as it is.
pub fn shown(time: &str) -> String {
    match seconds(time) {
        Some(_) => time.trim_end_matches('Z').replacen('T', " ", 1),
        None => time.to_owned(),
    }
}

/// Seconds since 1970 of such a time; fractions of seconds are left out.
pub fn seconds(time: &str) -> Option<i64> {
    let (date, rest) = time.split_once('T')?;
    let clock = rest.strip_suffix('Z')?.split('.').next()?;
    let [year, month, day] = three(date, '-')?;
    let [hour, minute, second] = three(clock, ':')?;
    let is_time = (1..=9999).contains(&year) && hour < 24 && minute < 60 && second <= 60;
    let is_date = (1..=12).contains(&month) && (1..=31).contains(&day);
    (is_time && is_date).then(|| days(year, month, day) * DAY + hour * 3600 + minute * 60 + second)
}

fn three(text: &str, mark: char) -> Option<[i64; 3]> {
    let mut parts = text.split(mark).map(|part| {
        let is_number = !part.is_empty() && part.len() <= 4 && part.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| part.parse().ok()).flatten()
    });
    let three = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(three)
}

/// Days since 1970 of a date. Years are counted from March, so that a leap day is the last one of its year.
pub fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month < 3 {
        (year - 1, month + 9)
    } else {
        (year, month - 3)
    };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // From 0000-03-01 to 1970-01-01 it is 719468 days.
    year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1 - 719_468
}

/// Year and month of a day since 1970.
pub fn year_and_month(day: i64) -> (i64, i64) {
    // A guess from the mean length of a year is off by one at most.
    let mut year = 1970 + day * 400 / 146_097;
    while days(year, 1, 1) > day {
        year -= 1;
    }
    while days(year + 1, 1, 1) <= day {
        year += 1;
    }
    let month = (1..=12).rev().find(|month| days(year, *month, 1) <= day);
    (year, month.unwrap_or(1))
}

/// A day since 1970 as `2024-01-31`.
pub fn date(day: i64) -> String {
    let (year, month) = year_and_month(day);
    format!("{year:04}-{month:02}-{:02}", day - days(year, month, 1) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_unix() {
        // `date -u -d ... +%s`
        for (time, unix) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T12:00:00Z", 951_825_600),
            ("2024-01-09T18:30:15Z", 1_704_825_015),
            ("2024-12-31T23:59:59.1234567Z", 1_735_689_599),
            ("1601-01-01T00:00:00Z", -11_644_473_600),
        ] {
            assert_eq!(seconds(time), Some(unix), "{time}");
        }
        for wrong in [
            "",
            "yesterday",
            "2024-01-09",
            "2024-13-09T00:00:00Z",
            "2024-01-09T25:00:00Z",
            "+024-01-09T00:00:00Z",
        ] {
            assert_eq!(seconds(wrong), None, "{wrong}");
            assert_eq!(shown(wrong), wrong);
        }
        assert_eq!(shown("2024-01-09T18:30:15Z"), "2024-01-09 18:30:15");
    }

    #[test]
    fn days_lead_back_to_dates() {
        for day in (-140_000..2_900_000).step_by(97) {
            let (year, month) = year_and_month(day);
            assert!(days(year, month, 1) <= day && day < days(year, month, 1) + 31);
            assert_eq!(seconds(&format!("{}T00:00:00Z", date(day))), Some(day * DAY));
        }
    }
}
