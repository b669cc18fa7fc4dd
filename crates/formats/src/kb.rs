//! Numbers of Knowledge Base articles in the titles of updates.

/// Numbers kept of one title; real ones have one or two.
const NUMBERS_MAX: usize = 16;

/// The numbers that stand behind "KB" in `title`, in order, each once: 6 or 7 digits, in any case of the letters,
/// with nothing between, and no letter or digit of the Latin alphabet before and none of the digits behind.
///
/// Titles are localised and the number is not: `(KB5034441)`, also in full-width parentheses, is how it stands in most.
pub fn kb_numbers(title: &str) -> Vec<u32> {
    let bytes = title.as_bytes();
    let mut numbers = Vec::new();
    for at in 0..bytes.len() {
        let is_start = at == 0
            || bytes
                .get(at - 1)
                .is_some_and(|before| !before.is_ascii_alphanumeric());
        let Some((letters, rest)) = bytes.get(at..).and_then(|rest| rest.split_at_checked(2)) else {
            break;
        };
        if !is_start || !letters.eq_ignore_ascii_case(b"KB") {
            continue;
        }
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if !(6..=7).contains(&digits) {
            continue;
        }
        let value = |number: u32, digit: &u8| number * 10 + u32::from(digit - b'0');
        let number = rest.iter().take(digits).fold(0, value);
        if !numbers.contains(&number) && numbers.len() < NUMBERS_MAX {
            numbers.push(number);
        }
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_in_titles_of_every_language() {
        for (title, numbers) in [
            (
                "2024-01 Security Update for Windows 10 Version 22H2 for x64-based Systems (KB5034441)",
                &[5034441][..],
            ),
            (
                "2026-07 Windows Recovery Environment Update (KB5120221)",
                &[5120221],
            ),
            (
                "2024-01 Sicherheitsupdate f\u{fc}r Windows 10 Version 22H2 f\u{fc}r x64-basierte Systeme (KB5034441)",
                &[5034441],
            ),
            (
                "2024-01 x64 \u{30d9}\u{30fc}\u{30b9} \u{30b7}\u{30b9}\u{30c6}\u{30e0}\u{7528}\u{ff08}KB5034441\u{ff09}",
                &[5034441],
            ),
            (
                "\u{9002}\u{7528}\u{4e8e}KB5034440\u{7684}\u{66f4}\u{65b0}",
                &[5034440],
            ),
            ("Mise \u{e0} jour kb5034439\u{a0}: s\u{e9}curit\u{e9}", &[5034439]),
            (
                "Update for Microsoft Defender Antivirus antimalware platform - KB4052623 (Version 4.18)",
                &[4052623],
            ),
            (
                "Security Intelligence Update - KB2267602 (KB2267602) and KB890830",
                &[2267602, 890830],
            ),
        ] {
            assert_eq!(kb_numbers(title), numbers, "{title}");
        }
    }

    #[test]
    fn what_is_no_number_is_not_taken_for_one() {
        for title in [
            "",
            "K",
            "KB",
            "KB12345",
            "KB12345678",
            "XKB5034441",
            "1KB5034441",
            "KB 5034441",
            "KB-5034441",
            "\u{ff2b}\u{ff22}5034441",
            "KB\u{ff15}034441",
            "9NBLGGH3FL3T-Microsoft.VCLibs.120.00.Universal",
        ] {
            assert!(kb_numbers(title).is_empty(), "{title}");
        }
        assert_eq!(kb_numbers("KBKB5034441 KB5034442").as_slice(), [5034442]);
        let many: String = (0..100)
            .map(|number| format!("KB{} ", 5_000_000 + number))
            .collect();
        assert_eq!(kb_numbers(&many).len(), NUMBERS_MAX);
    }
}
