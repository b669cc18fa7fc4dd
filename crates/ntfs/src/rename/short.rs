//! Names of the 8.3 form for long names, as Windows makes them (RtlGenerate8dot3Name in Microsoft's driver
//! documentation): `SOFTWA~1.OLD`. From the fifth try on only two characters of the name are left, with a checksum of
//! the whole name behind them: `SOBC84~1.ASP`. The checksum is not documented; it was worked out by T. Galvin in 2015, and
//! the tests hold names that Windows made.

/// Characters before the tilde while there is no checksum.
const STEM_MAX: usize = 6;
/// Characters left beside a checksum, and those that the checksum is added to at once.
const STEM_BESIDE_CHECKSUM: usize = 2;
/// Characters of the part before the period, and of the one behind it.
const BASE_MAX: usize = 8;
const EXTENSION_MAX: usize = 3;
/// Tries without a checksum.
const PLAIN_TRIES: u32 = 4;
/// Tries with one. Windows goes on to a million.
const CHECKSUM_TRIES: u32 = 999;

/// The candidates for a long name, in the order in which Windows tries them.
pub(super) fn candidates(long: &[u16]) -> impl Iterator<Item = String> {
    let start = long.iter().position(|&unit| unit != PERIOD).unwrap_or(long.len());
    let name = &long[start..];
    let (base, extension) = match name.iter().rposition(|&unit| unit == PERIOD) {
        Some(period) => (&name[..period], &name[period + 1..]),
        None => (name, &name[..0]),
    };
    let stem = short_characters(base, STEM_MAX);
    let extension = short_characters(extension, EXTENSION_MAX);
    let checked = format!(
        "{}{:04X}",
        &stem[..stem.len().min(STEM_BESIDE_CHECKSUM)],
        checksum(long)
    );
    // What is very short gets the checksum at once.
    let plain_tries = if stem.len() > STEM_BESIDE_CHECKSUM {
        PLAIN_TRIES
    } else {
        0
    };
    let tries = (1..=plain_tries)
        .map(|number| (false, number))
        .chain((1..=CHECKSUM_TRIES).map(|number| (true, number)));
    tries.map(move |(is_checked, number)| {
        let tail = format!("~{number}");
        let stem = if is_checked { &checked } else { &stem };
        let stem = &stem[..stem.len().min(BASE_MAX - tail.len())];
        let period = if extension.is_empty() { "" } else { "." };
        format!("{stem}{tail}{period}{extension}")
    })
}

const PERIOD: u16 = b'.' as u16;

/// The first characters that are left of a part of a name: spaces, periods and what is not ASCII are dropped, what DOS
/// does not permit becomes an underscore.
fn short_characters(part: &[u16], max: usize) -> String {
    let character = |&unit: &u16| {
        let character = u8::try_from(unit).ok().filter(u8::is_ascii)?;
        match character {
            b' ' | b'.' | 0x7F => None,
            c if c < b' ' || b"\"*+,/:;<=>?[\\]|".contains(&c) => Some('_'),
            c => Some(char::from(c.to_ascii_uppercase())),
        }
    };
    part.iter().filter_map(character).take(max).collect()
}

/// The checksum of a long name, its hexadecimal digits in the order in which they are written.
fn checksum(name: &[u16]) -> u16 {
    let sum = name
        .iter()
        .fold(0u16, |sum, &unit| sum.wrapping_mul(0x25).wrapping_add(unit));
    let product = i32::from_le_bytes(u32::from(sum).wrapping_mul(314_159_269).to_le_bytes());
    let value = u64::from(product.unsigned_abs());
    let quotient = (u128::from(value) * 1_152_921_497) >> 60;
    let rest = (u128::from(value)).wrapping_sub(quotient * 1_000_000_007) as u16;
    (rest >> 12) | (rest >> 4 & 0xF0) | (rest << 4 & 0xF00) | (rest << 12)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tries(name: &str, count: usize) -> Vec<String> {
        let units: Vec<u16> = name.encode_utf16().collect();
        candidates(&units).take(count).collect()
    }

    #[test]
    fn names_are_those_that_windows_makes() {
        assert_eq!(tries("SoftwareDistribution", 2), ["SOFTWA~1", "SOFTWA~2"]);
        assert_eq!(tries("SoftwareDistribution.old", 1), ["SOFTWA~1.OLD"]);
        assert_eq!(tries("Program Files (x86)", 1), ["PROGRA~1"]);
        assert_eq!(tries("5+6 June Report.docx", 1), ["5_6JUN~1.DOC"]);
        assert_eq!(tries("a.testing.file.batch", 1), ["ATESTI~1.BAT"]);
        assert_eq!(tries(".gitconfig", 1), ["GITCON~1"]);
        assert_eq!(tries("J\u{fc}rgen Meier", 1), ["JRGENM~1"]);
        for (long, fifth) in [
            ("SomeStuff.aspx", "SOBC84~1.ASP"),
            ("Rammstein & Tatu - Moscow.mp3", "RA8E17~1.MP3"),
            ("Rammstein - Asche zu Asche.mp3", "RA23A6~1.MP3"),
            ("Rammstein - Du Hast.mp3", "RA0CAE~1.MP3"),
            ("Rammstein - Haifisch.mp3", "RA6BAA~1.MP3"),
        ] {
            assert_eq!(tries(long, 5)[4], fifth);
        }
    }

    #[test]
    fn every_candidate_is_of_the_short_form_and_none_comes_twice() {
        let long = "x".repeat(255);
        for name in [
            "a b",
            "x y.html",
            "\u{4e2d}\u{6587}",
            "...",
            ".x.",
            "a+b=c;d,[e].f g h i",
            "~~~~~~~~~.~~~~",
            "name.",
            &long,
        ] {
            let all = tries(name, usize::MAX);
            let unique: std::collections::HashSet<_> = all.iter().collect();
            assert!(all.len() >= 999 && unique.len() == all.len(), "{name}");
            for short in &all {
                let namespace = crate::format::names::namespace(short);
                assert_eq!(
                    namespace,
                    crate::format::names::WIN32_AND_DOS,
                    "{name} gave {short}"
                );
            }
        }
    }
}
