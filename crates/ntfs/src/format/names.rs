//! Rules for file names: what Win32 permits, and what is a name of the 8.3 form.

/// Namespace of a name that is not of the 8.3 form on a volume without generated short names, as Windows 10 writes
/// it there (a Win32 name, namespace 1, would need a DOS name beside it).
pub(crate) const POSIX: u8 = 0;
/// Namespace of a name that serves Win32 and DOS alike.
pub(crate) const WIN32_AND_DOS: u8 = 3;

/// UTF-16 units of a name at most: its length has 8 bits.
const UNITS_MAX: usize = 255;

/// The units of a name, or what is wrong with it (Microsoft: "Naming Files, Paths, and Namespaces").
pub(crate) fn units(name: &str) -> Result<Vec<u16>, &'static str> {
    let units: Vec<u16> = name.encode_utf16().collect();
    if units.is_empty() {
        Err("it is empty")
    } else if units.len() > UNITS_MAX {
        Err("it is longer than 255 UTF-16 units")
    } else if name.contains(|c: char| c < ' ' || "<>:\"/\\|?*".contains(c)) {
        Err("it has a character that Win32 reserves")
    } else if name.ends_with(['.', ' ']) {
        Err("it ends in a period or a space")
    } else {
        Ok(units)
    }
}

/// The namespace for a name.
pub(crate) fn namespace(name: &str) -> u8 {
    if is_short(name) { WIN32_AND_DOS } else { POSIX }
}

/// Whether a name is of the form 8.3. Case does not matter; non-ASCII characters depend on a code page and are not
/// taken for short.
fn is_short(name: &str) -> bool {
    let (base, extension) = name.split_once('.').unwrap_or((name, "x"));
    let good = |part: &str, max: usize| {
        (1..=max).contains(&part.len())
            && part
                .bytes()
                .all(|c| c.is_ascii_alphanumeric() || b"!#$%&'()-@^_`{}~".contains(&c))
    };
    good(base, 8) && good(extension, 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_short_form_are_told_from_others() {
        for name in [
            "A",
            "a_file",
            "ntoskrnl.exe",
            "$MFTMirr",
            "12345678.123",
            "~x.{y}",
        ] {
            assert_eq!(namespace(name), WIN32_AND_DOS, "{name}");
        }
        for name in [
            "123456789",
            "a.html",
            "a.b.c",
            ".x",
            "a b",
            "a+b",
            "x.",
            "",
            "m\u{fc}ll",
        ] {
            assert_eq!(namespace(name), POSIX, "{name}");
        }
    }

    #[test]
    fn names_that_win32_cannot_use_are_refused() {
        let long = "x".repeat(256);
        for name in [
            "",
            ".",
            "..",
            "a.",
            "a ",
            "a:b",
            "a*",
            "a?",
            "a\"",
            "<",
            ">",
            "|",
            "tab\t",
            "nul\0",
            "a/b",
            long.as_str(),
        ] {
            assert!(units(name).is_err(), "{name:?}");
        }
        assert_eq!(units(&"\u{1F600}".repeat(127)).unwrap().len(), 254);
        assert!(units(&"\u{1F600}".repeat(128)).is_err());
        assert_eq!(units(" .a").unwrap(), [0x20, 0x2E, 0x61]);
    }
}
