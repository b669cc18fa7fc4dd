use super::*;

fn found(asked: &str) -> Vec<&'static str> {
    lookup(asked).iter().map(|known| known.code).collect()
}

#[test]
fn codes_are_found_however_they_are_written() {
    for (asked, due) in [
        ("0x80070643", &["0x80070643"][..]),
        ("0X80070643", &["0x80070643"]),
        ("80070643", &["0x80070643"]),
        ("-2147023293", &["0x80070643"]),
        ("2147944003", &["0x80070643"]),
        ("800f0828", &["0x800F0828"]),
        ("0x800F081f", &["0x800F081F"]),
        ("0x643", &["Win32 1603"]),
        ("1603", &["Win32 1603"]),
        ("112", &["0x80070070"]),
        ("reagentc 4c7", &["reagentc 4c7"]),
        ("4c7", &["reagentc 4c7"]),
        ("4C7", &["reagentc 4c7"]),
        ("0x4c7", &["reagentc 4c7"]),
        ("0xc142011c", &["reagentc c142011c"]),
        ("Operation failed: 70", &["reagentc 70"]),
        ("operation-failed-70", &["reagentc 70"]),
        ("event 4502", &["event 4502"]),
        ("Event ID 4502", &["event 4502"]),
        ("4502", &["event 4502"]),
        ("20", &["event 20"]),
        ("phase 2", &["ErrorPhase 2"]),
        ("ErrorPhase 2", &["ErrorPhase 2"]),
        ("error phase: 2", &["ErrorPhase 2"]),
        ("exit 7", &["exit 7"]),
        ("exit code 7", &["exit 7"]),
        ("7", &["exit 7"]),
        ("130", &["exit 130"]),
        ("cve-2024-20666", &["CVE-2024-20666"]),
        ("re-too-small", &["re-too-small"]),
        ("RE_TOO_SMALL", &["re-too-small"]),
        (" bitlocker ", &["bitlocker"]),
    ] {
        assert_eq!(found(asked), due, "{asked:?}");
    }
}

#[test]
fn all_that_fit_are_found() {
    assert_eq!(found("2"), ["exit 2", "ErrorPhase 2", "reagentc 2"]);
    assert_eq!(found("5"), ["exit 5", "reagentc 5"]);
}

#[test]
fn what_is_no_code_is_not_found() {
    for asked in [
        "",
        " ",
        "-",
        "0x",
        "0xzz",
        "99",
        "event",
        "reagentc",
        "exit 8",
        "4502 4502",
        "-1",
        "-99999999999",
        "0x180070643",
        "KB5034441",
        "\u{1f600}",
    ] {
        assert_eq!(found(asked), [""; 0], "{asked:?}");
    }
}

#[test]
fn what_looks_like_a_code_leads_to_it() {
    let near = |asked| nearest(asked).iter().map(|known| known.code).collect::<Vec<_>>();
    assert_eq!(near("re-to-small")[0], "re-too-small");
    assert_eq!(near("bitloker"), ["bitlocker"]);
    assert_eq!(near("too-small")[0], "re-too-small");
    assert_eq!(near("0x80070634")[0], "0x80070643");
    assert!(near("shadow").contains(&"shadow-copies"));
    assert_eq!(near("event").len(), 3);
    assert!(near("zzzzzzzzzzzz").is_empty() && near("").is_empty());
}

#[test]
fn every_code_is_its_own_and_says_what_to_do() {
    let mut codes: Vec<_> = all().map(|known| key(known.code)).collect();
    let count = codes.len();
    assert!(count > 140, "{count}");
    codes.sort();
    codes.dedup();
    assert_eq!(codes.len(), count, "a code is there twice");
    for known in all() {
        let entry = known.entry();
        let code = entry.code;
        assert_eq!(found(code), [code]);
        assert!(!entry.kinds.is_empty(), "{code}");
        assert!(!entry.next.is_empty() && !entry.sources.is_empty(), "{code}");
        let title = entry.title.to_string();
        assert!(!title.ends_with('.') && title.len() < 110, "{code}: {title}");
        let sentences = entry.causes.iter().chain(&entry.next).chain([&entry.means]);
        for sentence in sentences {
            let sentence = sentence.to_string();
            let is_whole = sentence.ends_with(['.', '?']) && !sentence.contains("  ");
            assert!(is_whole, "{code}: {sentence}");
        }
    }
}

#[test]
fn programs_get_english_and_names() {
    let known = lookup("bitlocker");
    let [known] = known.as_slice() else {
        panic!("{known:?}")
    };
    let json = serde_json::to_value(known.entry()).unwrap_or_default();
    assert_eq!(json["code"], "bitlocker");
    assert_eq!(json["kinds"][0], "finding");
    assert_eq!(json["title"], "A partition is encrypted by BitLocker");
    assert!(
        json["next"][1]
            .as_str()
            .is_some_and(|next| next.contains("manage-bde"))
    );
}
