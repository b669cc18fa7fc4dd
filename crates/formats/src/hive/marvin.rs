//! Marvin32, the hash that guards the entries of a hive's log.

/// The seed of the registry's logs ("Windows registry file format specification", log entries, note 3).
const SEED: u64 = 0x82EF_4D88_7A4E_55C5;

/// The hash of `bytes` as a log entry has it.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    seeded(SEED, bytes)
}

fn seeded(seed: u64, bytes: &[u8]) -> u64 {
    let mut hasher = Hasher((seed as u32, (seed >> 32) as u32));
    let (words, rest) = bytes.split_at(bytes.len() / 4 * 4);
    hasher.update(words);
    hasher.finish(rest)
}

/// The hash of bytes that come in pieces.
pub(super) struct Hasher((u32, u32));

impl Hasher {
    pub fn new() -> Self {
        Self((SEED as u32, (SEED >> 32) as u32))
    }

    /// Takes in whole words; of other lengths only the last piece may be, which [`Hasher::finish`] takes.
    pub fn update(&mut self, words: &[u8]) {
        for word in words.as_chunks::<4>().0 {
            mix(&mut self.0, u32::from_le_bytes(*word));
        }
    }

    /// The hash, with less than a word behind all that was taken in.
    pub fn finish(mut self, rest: &[u8]) -> u64 {
        // The rest, with one bit behind it.
        let last = rest
            .iter()
            .rev()
            .fold(0x80, |sum, &byte| sum << 8 | u32::from(byte));
        mix(&mut self.0, last);
        mix(&mut self.0, 0);
        u64::from(self.0.1) << 32 | u64::from(self.0.0)
    }
}

fn mix((low, high): &mut (u32, u32), word: u32) {
    *low = low.wrapping_add(word);
    *high ^= *low;
    *low = low.rotate_left(20).wrapping_add(*high);
    *high = high.rotate_left(9) ^ *low;
    *low = low.rotate_left(27).wrapping_add(*high);
    *high = high.rotate_left(19);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The published test cases of the .NET runtime (`MarvinTests.cs`).
    #[test]
    fn published_test_cases_hold() {
        let cases: [(u64, &[u8], u64); 10] = [
            (0x004F_B61A_001B_DBCC, &[], 0x30ED_35C1_00CD_3C7D),
            (0x004F_B61A_001B_DBCC, &[0xAF], 0x48E7_3FC7_7D75_DDC1),
            (0x004F_B61A_001B_DBCC, &[0xE7, 0x0F], 0xB5F6_E1FC_485D_BFF8),
            (0x004F_B61A_001B_DBCC, &[0x37, 0xF4, 0x95], 0xF0B0_7C78_9B8C_F7E8),
            (
                0x004F_B61A_001B_DBCC,
                &[0x86, 0x42, 0xDC, 0x59],
                0x7008_F2E8_7E9C_F556,
            ),
            (
                0x804F_B61A_001B_DBCC,
                &[0x15, 0x3F, 0xB7, 0x98, 0x26],
                0x0A06_114B_1346_4DBD,
            ),
            (
                0x804F_B61A_001B_DBCC,
                &[0x09, 0x32, 0xE6, 0x24, 0x6C, 0x47],
                0xD6DD_5E40_AD1B_C2ED,
            ),
            (0x804F_B61A_801B_DBCC, &[0x00], 0xA37F_B0DA_2ECA_E06C),
            (0x804F_B61A_801B_DBCC, &[0xFF], 0xFECE_F370_701A_E054),
            (0x804F_B61A_801B_DBCC, &[0xFF, 0x00], 0xBDFB_46D9_6973_0E2A),
        ];
        for (seed, bytes, expected) in cases {
            assert_eq!(seeded(seed, bytes), expected, "{seed:#x} {bytes:02x?}");
        }
    }

    /// With the registry's own seed; published as the exclusive or of both halves.
    #[test]
    fn the_seed_is_taken_low_half_first() {
        let folded = |bytes: &[u8]| (hash(bytes) >> 32) as u32 ^ hash(bytes) as u32;
        assert_eq!(folded(b""), 0xb008_92ac);
        assert_eq!(folded(b"hell"), 0x7f91_e021);
        assert_eq!(folded(b"hello, world!"), 0x00c1_8515);
    }
}
