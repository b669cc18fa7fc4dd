//! Orders of index keys.
//!
//! Rules and their numbers: libfsntfs documentation, "Collation type".

use crate::bytes::take;
use crate::upcase::UpCase;
use std::cmp::Ordering;

/// By which rule an index is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Collation {
    /// $FILE_NAMEs by the upper case of their names, then by their names.
    FileName,
    /// Keys of one or more 32-bit numbers: security ids, hashes with ids, GUIDs, reparse keys.
    Numbers,
    /// An order that is not documented (SIDs).
    Unknown,
}

impl Collation {
    /// The rule of this number.
    pub(crate) fn from_rule(rule: u32) -> Self {
        match rule {
            0x01 => Self::FileName,
            0x10 | 0x12 | 0x13 => Self::Numbers,
            _ => Self::Unknown,
        }
    }

    /// The rule that the index of this name has. `$O` orders object ids in one file and SIDs in another.
    pub(crate) fn rules_due(name: &[u8]) -> &'static [u32] {
        match name {
            b"$\0I\x003\x000\0" => &[0x01],
            b"$\0S\0I\0I\0" | b"$\0Q\0" => &[0x10],
            b"$\0S\0D\0H\0" => &[0x12],
            b"$\0R\0" => &[0x13],
            b"$\0O\0" => &[0x11, 0x13],
            _ => &[],
        }
    }

    /// Order of two keys; `None` where it is not known.
    pub(crate) fn compare(self, upcase: Option<&UpCase>, a: &[u8], b: &[u8]) -> Option<Ordering> {
        match self {
            Self::FileName => Some(names(upcase?, name(a), name(b))),
            Self::Numbers => {
                let (a, b) = (a.as_chunks().0.iter(), b.as_chunks().0.iter());
                Some(
                    a.map(|n| u32::from_le_bytes(*n))
                        .cmp(b.map(|n| u32::from_le_bytes(*n))),
                )
            }
            Self::Unknown => None,
        }
    }
}

/// The name in a $FILE_NAME; what is cut off counts as empty, and is told elsewhere.
fn name(key: &[u8]) -> &[[u8; 2]] {
    let length = key.get(0x40).map_or(0, |&units| usize::from(units) * 2);
    take(key, 0x42, length).unwrap_or_default().as_chunks().0
}

fn names(upcase: &UpCase, a: &[[u8; 2]], b: &[[u8; 2]]) -> Ordering {
    let pairs = || {
        a.iter()
            .zip(b)
            .map(|(a, b)| (u16::from_le_bytes(*a), u16::from_le_bytes(*b)))
    };
    let by_case = || pairs().map(|(a, b)| a.cmp(&b)).find(|order| order.is_ne());
    pairs()
        .filter(|(a, b)| a != b)
        .map(|(a, b)| upcase.map(a).cmp(&upcase.map(b)))
        .find(|order| order.is_ne())
        .or_else(|| Some(a.len().cmp(&b.len())).filter(|order| order.is_ne()))
        .or_else(by_case)
        .unwrap_or(Ordering::Equal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Vec<u8> {
        let mut key = vec![0; 0x42];
        key[0x40] = name.encode_utf16().count() as u8;
        key.extend(name.encode_utf16().flat_map(u16::to_le_bytes));
        key
    }

    #[test]
    fn names_are_ordered_by_upper_case_then_length_then_case() {
        let upcase = UpCase::from_table(
            (0..=u16::MAX)
                .map(|unit| {
                    if (0x61..=0x7A).contains(&unit) {
                        unit - 0x20
                    } else {
                        unit
                    }
                })
                .collect(),
        );
        let order = [
            "", "$x", "A", "a", "AB", "aB", "ab", "ABC", "B", "b", "_", "\u{e4}",
        ];
        for (i, a) in order.iter().enumerate() {
            for (j, b) in order.iter().enumerate() {
                let found = Collation::FileName.compare(Some(&upcase), &key(a), &key(b));
                assert_eq!(found, Some(i.cmp(&j)), "{a:?} {b:?}");
            }
        }
        assert_eq!(Collation::FileName.compare(None, &key("a"), &key("b")), None);
    }

    #[test]
    fn numbers_are_ordered_one_by_one() {
        let compare = |a: &[u8], b: &[u8]| Collation::Numbers.compare(None, a, b);
        assert_eq!(compare(&[0, 1, 0, 0], &[0xFF, 0, 0, 0]), Some(Ordering::Greater));
        assert_eq!(
            compare(&[1, 0, 0, 0, 9, 0, 0, 0], &[2, 0, 0, 0, 0, 0, 0, 0]),
            Some(Ordering::Less)
        );
        assert_eq!(Collation::Unknown.compare(None, &[1], &[2]), None);
    }
}
