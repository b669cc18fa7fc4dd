//! The upper-case table that Windows 10 writes: Unicode's simple mapping within the basic plane as of an old Unicode
//! version, with exceptions.

use crate::upcase::{UpCase, checksum};
use std::ops::RangeInclusive;

/// Units that the table leaves as they are although Unicode has an upper case for them: title-case letters, letters
/// whose upper case maps back to another one, and what Unicode paired after version 5.1. Blocks are given whole where
/// later versions go on pairing letters in them.
const UNMAPPED: &[RangeInclusive<u16>] = &[
    0x00B5..=0x00B5,
    0x0131..=0x0131,
    0x017F..=0x017F,
    0x019B..=0x019B,
    0x01C5..=0x01C5,
    0x01C8..=0x01C8,
    0x01CB..=0x01CB,
    0x01F2..=0x01F2,
    0x023F..=0x0240,
    0x0252..=0x0252,
    0x025C..=0x025C,
    0x0261..=0x0261,
    0x0264..=0x0266,
    0x026A..=0x026A,
    0x026C..=0x026C,
    0x0282..=0x0282,
    0x0287..=0x0287,
    0x029D..=0x029E,
    0x0345..=0x0345,
    0x03C2..=0x03C2,
    0x03D0..=0x03D6,
    0x03F0..=0x03F1,
    0x03F3..=0x03F5,
    0x0525..=0x052F,
    0x10D0..=0x10FF,
    0x13F8..=0x13FD,
    0x1C80..=0x1C8F,
    0x1D8E..=0x1D8E,
    0x1E9B..=0x1E9B,
    0x1FBE..=0x1FBE,
    0x2C5F..=0x2C5F,
    0x2CEC..=0x2CF3,
    0x2D27..=0x2D2D,
    0xA661..=0xA661,
    0xA699..=0xA69B,
    0xA791..=0xA7FF,
    0xAB30..=0xABBF,
];

/// Greek letters with iota: the table maps them to the title-case letter so far above, Unicode to two characters.
const WITH_IOTA: &[(RangeInclusive<u16>, u16)] = &[
    (0x1F80..=0x1F87, 8),
    (0x1F90..=0x1F97, 8),
    (0x1FA0..=0x1FA7, 8),
    (0x1FB3..=0x1FB3, 9),
    (0x1FC3..=0x1FC3, 9),
    (0x1FF3..=0x1FF3, 9),
];

/// The table.
pub(super) fn table() -> UpCase {
    let mut table: Vec<u16> = (0..=u16::MAX).map(simple_upper).collect();
    for range in UNMAPPED {
        for unit in range.clone() {
            table[usize::from(unit)] = unit;
        }
    }
    for (range, above) in WITH_IOTA {
        for unit in range.clone() {
            table[usize::from(unit)] = unit + above;
        }
    }
    UpCase::from_table(table)
}

/// The upper case of a unit where that is one other unit; surrogates stand for themselves.
fn simple_upper(unit: u16) -> u16 {
    let Some(character) = char::from_u32(unit.into()) else {
        return unit;
    };
    let mut upper = character.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(one), None) => u16::try_from(u32::from(one)).unwrap_or(unit),
        _ => unit,
    }
}

/// The value of $UpCase:$Info as Windows 10 writes it: its length, a checksum of the table, and the version of
/// Windows that the table is of (10.0.19041). Worked out from a volume of Windows 10.
pub(super) fn info(table: &[u8]) -> Vec<u8> {
    let mut info = 32u64.to_le_bytes().to_vec();
    info.extend(checksum(table).to_le_bytes());
    for field in [10u32, 0, 19041, 0] {
        info.extend(field.to_le_bytes());
    }
    info
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails, too, where a newer Unicode maps letters that `UNMAPPED` does not name: then add them there.
    /// The constant is the checksum that Windows 10 keeps of its own table in $UpCase:$Info.
    #[test]
    fn the_table_is_that_of_windows_10() {
        let table = table().to_bytes();
        assert_eq!(checksum(&table), 0xDADC_7E77_6B1B_690C);
        let info = info(&table);
        assert_eq!(info.len(), 32);
        assert_eq!(info[24..28], 0x4A61u32.to_le_bytes());
    }
}
