//! The real file of a Server 2012 R2, our own files, and malformed ones.

use super::*;
use crate::testing::shared;

fn sample() -> ReAgentTemplate {
    ReAgentTemplate {
        winre_bcd_id: Guid::from_u128(0x733b62e6_0000_11eb_8000_000000000001),
        winre_location: ReAgentLocation {
            path: "\\Recovery\\WindowsRE".to_owned(),
            id: 0,
            offset: 68_153_245_696,
            guid: Guid::from_u128(0x2b3c),
        },
        install_state: 1,
        is_server: true,
        os_build_version: "20348.1.amd64fre.\"fe\" & <co>".to_owned(),
        ..ReAgentTemplate::default()
    }
}

fn edited(from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8(sample().to_bytes()).unwrap();
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1).into_bytes()
}

#[test]
fn a_real_file_is_understood_and_only_its_offset_changes() {
    let Some(bytes) = shared("fixtures/reagent/ReAgent-server2012r2-mbr-enabled.xml") else {
        return;
    };
    let reagent = ReAgent::parse(&bytes).unwrap();
    assert_eq!(reagent.version, "2.0");
    let id = "fc93cb35-f905-11ea-b624-e1afe00b4753".parse().unwrap();
    assert_eq!(reagent.winre_bcd_id, Some(id));
    let expected = ReAgentLocation {
        path: "\\Recovery\\WindowsRE".to_owned(),
        id: 3_050_800_051,
        offset: 1_048_576,
        guid: Guid::ZERO,
    };
    assert_eq!(reagent.winre_location, Some(expected));
    assert_eq!(reagent.image_location, Some(ReAgentLocation::default()));
    assert_eq!((reagent.install_state, reagent.winre_staged), (Some(1), Some(0)));

    let patched = set_winre_offset(&bytes, 12_345_678_901).unwrap();
    let at = bytes.windows(7).position(|w| w == b"1048576").unwrap();
    assert_eq!(patched[..at], bytes[..at]);
    assert_eq!(&patched[at..at + 11], b"12345678901");
    // Four digits more, in the place of the line's end and the indentation of the next line.
    let end = at + bytes[at..].windows(2).position(|w| w == b"/>").unwrap() + 2;
    assert_eq!(bytes[end..end + 4], *b"\r\n  ");
    assert_eq!(patched[at + 11..end + 4], bytes[at + 7..end]);
    assert_eq!(patched[end + 4..], bytes[end + 4..]);
    let back = set_winre_offset(&patched, 1_048_576).unwrap();
    assert_eq!(back.len(), bytes.len());
    assert_eq!(back[at..at + 12], *b"1048576\"    ");
    assert_eq!(back[at + 12..], patched[at + 12..]);
    assert_eq!(
        ReAgent::parse(&back).unwrap().winre_location.unwrap().offset,
        1_048_576
    );
    let longer = set_winre_offset(&bytes, u64::MAX).unwrap();
    assert_eq!(longer.len(), bytes.len() + 9);
}

#[test]
fn our_own_file_says_what_it_was_told() {
    let template = sample();
    let bytes = template.to_bytes();
    assert!(bytes.starts_with(b"\xef\xbb\xbf<?xml version='1.0' encoding='utf-8'?>\n\r\n<WindowsRE"));
    let reagent = ReAgent::parse(&bytes).unwrap();
    assert_eq!(reagent.winre_bcd_id, Some(template.winre_bcd_id));
    assert_eq!(reagent.winre_location, Some(template.winre_location));
    assert_eq!(reagent.install_state, Some(1));
    let shorter = set_winre_offset(&bytes, 7).unwrap();
    assert_eq!(shorter.len(), bytes.len());
    assert_eq!(
        ReAgent::parse(&shorter).unwrap().winre_location.unwrap().offset,
        7
    );
}

#[test]
fn missing_is_not_disabled() {
    let reagent =
        ReAgent::parse(b"<WindowsRE version='1.0'><!-- x --><WinreBCD id=''/></WindowsRE>").unwrap();
    assert_eq!(reagent.winre_bcd_id, None);
    assert_eq!(reagent.install_state, None);
    assert_eq!(reagent.winre_location, None);
    let error = set_winre_offset(b"<WindowsRE version='1.0'/>", 1).unwrap_err();
    assert!(matches!(
        error,
        ReagentError::MissingElement {
            element: "WinreLocation"
        }
    ));
}

#[test]
fn a_bad_number_is_named_with_its_place() {
    for bad in ["", "0x1", "-1", "+1", " 1", "18446744073709551616"] {
        let bytes = edited("offset=\"68153245696\"", &format!("offset=\"{bad}\""));
        let position = bytes.windows(8).position(|w| w == b"offset=\"").unwrap() + 8;
        let expected = ReagentError::NotANumber {
            element: "WinreLocation".to_owned(),
            attribute: "offset",
            value: bad.to_owned(),
            position,
        };
        assert_eq!(ReAgent::parse(&bytes), Err(expected.clone()));
        assert_eq!(set_winre_offset(&bytes, 1), Err(expected));
    }
    let reference = edited("offset=\"68153245696\"", "offset=\"&#49;2\"");
    assert_eq!(
        ReAgent::parse(&reference).unwrap().winre_location.unwrap().offset,
        12
    );
    assert!(matches!(
        set_winre_offset(&reference, 1),
        Err(ReagentError::NotANumber { .. })
    ));
}

#[test]
fn malformed_files_are_refused_for_their_own_reason() {
    use ReagentError as E;
    let double = edited("<OemTool", "<InstallState state=\"0\"/><OemTool");
    assert!(
        matches!(ReAgent::parse(&double), Err(E::Duplicate { element, .. }) if element == "InstallState")
    );
    let guid = edited("<WinreBCD id=\"{7", "<WinreBCD id=\"{g");
    assert!(matches!(ReAgent::parse(&guid), Err(E::NotAGuid { .. })));
    let without = edited(" offset=\"68153245696\"", "");
    assert!(matches!(
        ReAgent::parse(&without),
        Err(E::MissingAttribute {
            attribute: "offset",
            ..
        })
    ));
    let version = edited("version=\"2.0\"", "version=\"3.0\"");
    assert!(matches!(ReAgent::parse(&version), Err(E::Version { .. })));
    assert!(matches!(ReAgent::parse(b"<x/>"), Err(E::Root { .. })));
    assert!(matches!(ReAgent::parse(b"\xff\xfe<\0"), Err(E::Utf16)));
    assert!(matches!(
        ReAgent::parse(b"<\xff"),
        Err(E::NotUtf8 { position: 1 })
    ));
    assert!(matches!(ReAgent::parse(b""), Err(E::Xml { .. })));
    assert!(matches!(
        ReAgent::parse(&vec![b' '; SIZE_MAX_BYTES + 1]),
        Err(E::TooLarge { .. })
    ));
    let dtd = b"<!DOCTYPE x [<!ENTITY a 'b'>]><WindowsRE version='2.0'/>";
    assert!(matches!(ReAgent::parse(dtd), Err(E::Xml { .. })));
    assert!(matches!(
        ReAgent::parse("<a>".repeat(300_000).as_bytes()),
        Err(E::Xml { .. })
    ));
}

#[test]
fn every_cut_of_the_file_is_refused_without_panic() {
    let bytes = sample().to_bytes();
    for length in 0..bytes.len() {
        assert!(ReAgent::parse(&bytes[..length]).is_err(), "{length}");
    }
}
