//! HRESULTs in `CBS.log`, the log of servicing, or in any log of lines.

use super::{Occurrences, Tail};
use memchr::memmem;

/// What tells in a servicing log why an update failed: too little space (`CBS_E_INSUFFICIENT_DISK_SPACE` and disk
/// full), the installers' failure, a missing source, a damaged store, a missing servicing stack, and 0x80070643.
pub const HRESULTS_OF_UPDATES: [u32; 9] = [
    0x800f_0828,
    0x800f_0922,
    0x800f_081f,
    0x800f_0831,
    0x8007_3701,
    0x8007_3712,
    0x800f_0823,
    0x8007_0643,
    0x8007_0070,
];

/// A code with the lines that have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HresultSeen {
    /// The code.
    pub code: u32,
    /// Its lines.
    pub lines: Occurrences,
}

/// The codes of `codes` that stand in the log as `0x` and 8 hexadecimal digits, in the order of `codes`.
pub fn hresults(tail: &Tail, codes: &[u32]) -> Vec<HresultSeen> {
    let mut seen: Vec<Occurrences> = codes.iter().map(|_| Occurrences::default()).collect();
    // Failures begin with 8.
    let finder = memmem::Finder::new("0x8");
    let mut on_line = Vec::new();
    for line in tail.lines() {
        on_line.clear();
        for at in finder.find_iter(line.text.as_bytes()) {
            let number = code_at(&line.text, at + 2);
            let Some(number) = codes.iter().position(|code| Some(*code) == number) else {
                continue;
            };
            if !on_line.contains(&number) {
                on_line.push(number);
            }
        }
        for &number in &on_line {
            if let Some(occurrences) = seen.get_mut(number) {
                occurrences.add(&line);
            }
        }
    }
    let seen = codes.iter().zip(seen).filter(|(_, lines)| lines.count > 0);
    seen.map(|(&code, lines)| HresultSeen { code, lines }).collect()
}

/// The 8 hexadecimal digits at `at`, with no further one behind.
fn code_at(text: &str, at: usize) -> Option<u32> {
    let digits = text.get(at..at + 8)?;
    let is_longer = text.as_bytes().get(at + 8).is_some_and(u8::is_ascii_hexdigit);
    let is_number = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_number && !is_longer)
        .then(|| u32::from_str_radix(digits, 16).ok())
        .flatten()
}
