//! Sizes as people type them. Exact: no floating point lies between the text and the bytes.

use thiserror::Error;
use winrefit_repair::rules::SERVICING_FREE_BYTES;

/// Why a text is not a size.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SizeError {
    /// No digits at the beginning.
    #[error("a size begins with a number, as in 1550MiB, 1.5GiB, 1GB or 1073741824")]
    NoNumber,
    /// The unit is not known.
    #[error("unknown unit \"{unit}\"; known are B, KiB, MiB, GiB, TiB (or K, M, G, T) and KB, MB, GB, TB")]
    UnknownUnit {
        /// What stands where the unit is expected.
        unit: String,
    },
    /// More digits behind the point than any size needs.
    #[error("{digits} digits behind the point are too many; {MAX_FRACTION_DIGITS} are the most")]
    TooPrecise {
        /// How many there are.
        digits: usize,
    },
    /// A fraction of a byte.
    #[error("a number of bytes has no fraction; add a unit, as in 1.5GiB")]
    FractionOfBytes,
    /// So few bytes that a unit was forgotten.
    #[error("{bytes} bytes are less than any partition needs; add a unit, as in {bytes}MiB")]
    TooSmall {
        /// What was typed.
        bytes: u64,
    },
    /// Less free space than WinRE has to have.
    #[error(
        "with less than {least} free Windows Update cannot service WinRE; name at least {least}",
        least = as_typed(SERVICING_FREE_BYTES)
    )]
    TooLittleFree,
    /// More than 2^64 - 1 bytes.
    #[error("larger than any disk")]
    TooLarge,
}

const MAX_FRACTION_DIGITS: usize = 9;
/// Less than this is no wish for a partition's space.
const SPACE_BYTES_MIN: u64 = 1 << 20;

/// As [`parse`], for the space of a partition.
pub fn parse_space(text: &str) -> Result<u64, SizeError> {
    match parse(text)? {
        bytes if bytes < SPACE_BYTES_MIN => Err(SizeError::TooSmall { bytes }),
        bytes => Ok(bytes),
    }
}

/// As [`parse_space`], for free space beside the image.
pub fn parse_free(text: &str) -> Result<u64, SizeError> {
    match parse_space(text)? {
        bytes if bytes < SERVICING_FREE_BYTES => Err(SizeError::TooLittleFree),
        bytes => Ok(bytes),
    }
}

/// The bytes that `text` names. `MiB` and `M` are 1,048,576 bytes, `MB` is 1,000,000; upper and lower case count the
/// same; fractions of a byte are cut off.
pub fn parse(text: &str) -> Result<u64, SizeError> {
    let text = text.trim();
    let number_end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(number_end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || fraction.contains('.') || number.ends_with('.') {
        return Err(SizeError::NoNumber);
    }
    if fraction.len() > MAX_FRACTION_DIGITS {
        return Err(SizeError::TooPrecise {
            digits: fraction.len(),
        });
    }
    let unit_bytes = unit_bytes(unit.trim())?;
    if unit_bytes == 1 && !fraction.is_empty() {
        return Err(SizeError::FractionOfBytes);
    }
    let digits = format!("{whole}{fraction}");
    let scale = 10u128.pow(u32::try_from(fraction.len()).map_err(|_| SizeError::TooLarge)?);
    let scaled: u128 = digits.parse().map_err(|_| SizeError::TooLarge)?;
    let bytes = scaled.checked_mul(unit_bytes).ok_or(SizeError::TooLarge)? / scale;
    u64::try_from(bytes).map_err(|_| SizeError::TooLarge)
}

fn unit_bytes(unit: &str) -> Result<u128, SizeError> {
    Ok(match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "t" | "tib" => 1 << 40,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        _ => {
            return Err(SizeError::UnknownUnit {
                unit: unit.to_owned(),
            });
        }
    })
}

/// A size as [`parse`] takes it, without loss.
pub fn as_typed(bytes: u64) -> String {
    match bytes {
        0 => "0".to_owned(),
        _ if bytes.is_multiple_of(1 << 30) => format!("{}GiB", bytes >> 30),
        _ if bytes.is_multiple_of(1 << 20) => format!("{}MiB", bytes >> 20),
        _ => bytes.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_as_people_write_them() {
        for (text, bytes) in [
            ("1550MiB", 1550 << 20),
            ("1.5GiB", 3 << 29),
            ("1000M", 1000 << 20),
            ("1GB", 1_000_000_000),
            ("1 gib", 1 << 30),
            ("0", 0),
            ("4096", 4096),
            ("4096B", 4096),
            ("0.1KiB", 102),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn less_than_servicing_needs_is_no_wish_for_free_space() {
        assert_eq!(parse_free("250MiB"), Ok(250 << 20));
        assert_eq!(parse_free("249MiB"), Err(SizeError::TooLittleFree));
        assert!(
            SizeError::TooLittleFree
                .to_string()
                .ends_with("name at least 250MiB")
        );
        assert_eq!(parse_free("400"), Err(SizeError::TooSmall { bytes: 400 }));
    }

    #[test]
    fn what_is_not_a_size_is_named() {
        for (text, error) in [
            ("", SizeError::NoNumber),
            ("MiB", SizeError::NoNumber),
            ("-1", SizeError::NoNumber),
            (".5GiB", SizeError::NoNumber),
            ("1.GiB", SizeError::NoNumber),
            ("1.2.3GiB", SizeError::NoNumber),
            ("1,5GiB", SizeError::UnknownUnit { unit: ",5GiB".into() }),
            (
                "10 apples",
                SizeError::UnknownUnit {
                    unit: "apples".into(),
                },
            ),
            ("1.5", SizeError::FractionOfBytes),
            ("1.0123456789GiB", SizeError::TooPrecise { digits: 10 }),
            ("18446744073709551616", SizeError::TooLarge),
            ("99999999T", SizeError::TooLarge),
            ("99999999999999999999999999999999999999999", SizeError::TooLarge),
        ] {
            assert_eq!(parse(text), Err(error), "{text}");
        }
    }
}
