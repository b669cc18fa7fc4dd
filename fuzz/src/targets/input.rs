//! The fuzzer's bytes as a list of small changes, and what a change does.

/// Reads numbers off the fuzzer's bytes. Behind the end everything is 0, so that every input means something.
pub struct Input<'a>(pub &'a [u8]);

impl<'a> Input<'a> {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    pub fn number(&mut self, bytes: usize) -> u64 {
        let mut value = [0; 8];
        let taken = self.take(bytes);
        value[..taken.len()].copy_from_slice(taken);
        u64::from_le_bytes(value)
    }

    /// Less than `limit`, which is no less than 1.
    pub fn below(&mut self, limit: usize) -> usize {
        let bytes = match limit {
            ..=0x100 => 1,
            0x101..=0x1_0000 => 2,
            _ => 3,
        };
        self.number(bytes) as usize % limit.max(1)
    }
}

/// Numbers at which fields go wrong.
const WILD: [u64; 16] = [
    0,
    1,
    u64::MAX,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x7FFF_FFFF,
    0x8000_0000,
    0xFFFF_FFFF,
    0x1_0000_0000,
    i64::MAX as u64,
    1 << 63,
    0x1000,
];

/// Makes one change within `bytes`: what and where, the input says.
pub fn change(input: &mut Input<'_>, bytes: &mut [u8]) {
    if bytes.is_empty() {
        return;
    }
    let what = input.number(1) as usize;
    let at = input.below(bytes.len());
    let room = bytes.len() - at;
    let width = [1, 2, 4, 8][what >> 4 & 3].min(room);
    let field = &mut bytes[at..at + width];
    let mut old = [0; 8];
    old[..width].copy_from_slice(field);
    let old = u64::from_le_bytes(old);
    let new = match what & 7 {
        0 | 1 => input.number(width),
        2 => WILD[input.below(WILD.len())],
        3 => old.wrapping_add_signed(i64::from(input.number(1) as i8)),
        4 => old ^ 1 << (input.number(1) % (8 * width as u64)),
        5 => {
            let length = 1 + input.below(64).min(room - 1);
            let taken = input.take(length);
            bytes[at..at + taken.len()].copy_from_slice(taken);
            return;
        }
        6 => {
            let (length, value) = (input.below(0x1_0000).min(room), input.number(1) as u8);
            bytes[at..at + length].fill(value);
            return;
        }
        _ => {
            let from = input.below(bytes.len());
            let length = (1 + input.below(0x100)).min(room).min(bytes.len() - from);
            bytes.copy_within(from..from + length, at);
            return;
        }
    };
    field.copy_from_slice(&new.to_le_bytes()[..width]);
}

/// As many changes as the input has left, 24 at most.
pub fn changes(input: &mut Input<'_>, bytes: &mut [u8]) {
    for _ in 0..24 {
        if input.is_empty() {
            return;
        }
        change(input, bytes);
    }
}
