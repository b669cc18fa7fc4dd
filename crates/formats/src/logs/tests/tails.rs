//! Reading from the end: how much, from where, in which encoding.

use super::*;
use crate::bytes::utf16_bytes;
use crate::testing::Random;
use winrefit_disk::{DiskError, Metered, ReadAt};

fn lines(tail: &Tail) -> Vec<(u64, String)> {
    tail.lines()
        .map(|line| (line.offset, line.text.into_owned()))
        .collect()
}

fn line(offset: u64, text: &str) -> (u64, String) {
    (offset, text.to_string())
}

#[test]
fn lines_have_their_place_in_the_file() {
    let text = b"\xef\xbb\xbfone\r\ntwo\n\nM\xe4rz\r\nlast".to_vec();
    let whole = read_tail(&text, 100).unwrap();
    assert_eq!((whole.truncated, whole.encoding()), (false, Encoding::Utf8));
    let expected = [
        line(0, "one"),
        line(8, "two"),
        line(12, ""),
        line(13, "M\u{fffd}rz"),
        line(19, "last"),
    ];
    assert_eq!(lines(&whole), expected);
    // From within "two": the rest of a line is none.
    let end = read_tail(&text, 13).unwrap();
    assert_eq!((lines(&end), end.truncated), (expected[2..].to_vec(), true));
    assert_eq!(lines(&read_tail(&text, 0).unwrap()), []);
    assert_eq!(lines(&read_tail(&Vec::new(), 100).unwrap()), []);
}

#[test]
fn utf_16_is_told_by_its_mark_or_its_zeros() {
    let text = "one\r\nt\u{e4}gl\u{130}ch \u{30a}\r\n\r\nlast \u{100}";
    let plain = utf16_bytes(text);
    let marked = [&[0xff, 0xfe][..], &plain].concat();
    for (file, shift) in [(&plain, 0), (&marked, 2)] {
        let whole = read_tail(file, 1000).unwrap();
        assert_eq!((whole.truncated, whole.encoding()), (false, Encoding::Utf16));
        let texts = [
            (0, "one"),
            (10 + shift, "t\u{e4}gl\u{130}ch \u{30a}"),
            (32 + shift, ""),
            (36 + shift, "last \u{100}"),
        ];
        assert_eq!(lines(&whole), texts.map(|(at, text)| line(at, text)));
        for bytes_max in 0..file.len() as u64 {
            let end = read_tail(file, bytes_max).unwrap();
            let found = lines(&end);
            assert!(lines(&whole).ends_with(&found), "{bytes_max}: {found:?}");
            assert!(end.truncated);
        }
    }
}

#[test]
fn zeros_at_the_end_and_lines_without_end_are_bounded() {
    let text = format!("first\n{}\nlast{}", "x".repeat(100_000), "\0".repeat(5000));
    let all = lines(&tail(&text));
    assert_eq!(
        (all.len(), all[1].1.len(), all[2].1.as_str()),
        (3, LINE_BYTES_MAX, "last")
    );
    assert_eq!(all[2].0, 100_007);
    assert_eq!(lines(&read_tail(&vec![b'x'; 1 << 20], 1 << 16).unwrap()), []);
    let zeros = read_tail(&vec![0; 1 << 20], 1 << 16).unwrap();
    assert_eq!(lines(&zeros), []);
}

/// A large file of which only the end is not zero.
struct Sparse(u64, &'static [u8]);

impl ReadAt for Sparse {
    fn size(&self) -> u64 {
        self.0
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        let end = self.0 - self.1.len() as u64;
        for (at, byte) in (offset..).zip(buf) {
            *byte = at.checked_sub(end).map_or(0, |at| self.1[at as usize]);
        }
        Ok(())
    }
}

#[test]
fn of_a_large_file_only_the_end_is_read() {
    for size in [300 << 20, 300 << 30, (300 << 20) + 1] {
        let file = Metered::new(Sparse(size, b"\nthe newest\nof all\n"));
        let end = read_tail(&file, 64 << 10).unwrap();
        assert!(file.bytes_read() <= (64 << 10) + 2, "{}", file.bytes_read());
        assert_eq!(
            lines(&end),
            [line(size - 18, "the newest"), line(size - 7, "of all")]
        );
        // However much is asked for.
        if size > 1 << 30 {
            continue;
        }
        let file = Metered::new(Sparse(size, b"\nx"));
        read_tail(&file, u64::MAX).unwrap();
        assert!(file.bytes_read() <= (64 << 20) + 2);
    }
}

#[test]
fn garbage_is_survived_by_every_parser() {
    let mut random = Random(4);
    let words = [
        "2024-01-10 03:21:11",
        ", Info  ",
        "[ReAgentc.exe] ",
        "MeetPartitionRequirements",
        " req = ",
        "0x800f0922",
        "-----Exiting command line:",
        ", Error: ",
        "\t",
        "\n",
        "{",
        "99999999999999999999999",
        "1,234,567",
        "\u{20ac}",
        "\0",
    ];
    for round in 0..400 {
        let mut bytes = Vec::new();
        for _ in 0..random.below(400) {
            match round % 4 {
                0 => bytes.push(random.next() as u8),
                1 => bytes.extend(utf16_bytes(words[random.below(words.len())])),
                _ => bytes.extend(words[random.below(words.len())].as_bytes()),
            }
        }
        for bytes_max in [7, 1 << 20] {
            let tail = read_tail(&bytes, bytes_max).unwrap();
            let log = AgentLog::parse(&tail);
            assert!(log.commands.len() <= RESULTS_MAX && log.requirements.len() <= RESULTS_MAX);
            assert_eq!(partition_requirements(&tail), log.requirements);
            hresults(&tail, &HRESULTS_OF_UPDATES);
            assert!(update_reports(&tail, |_| true).len() <= RESULTS_MAX);
        }
        let _ = ServicingState::parse(&bytes);
    }
}
