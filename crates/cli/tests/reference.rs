//! `explain` and `kb` as programs and people call them: what is printed where, and the exit code.
#![allow(clippy::unwrap_used)]

use serde_json::Value;
use std::process::Command;

/// Exit code, standard output and standard error.
fn winrefit(args: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_winrefit"))
        .args(args)
        .output()
        .unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

fn json(code: i32, args: &[&str]) -> Value {
    let (found, stdout, stderr) = winrefit(&[args, &["--format", "json"]].concat());
    assert_eq!(found, code, "{args:?}: {stderr}");
    serde_json::from_str(&stdout).unwrap()
}

#[test]
fn a_code_is_explained_however_it_is_typed() {
    for args in [
        &["explain", "0x80070643"][..],
        &["explain", "80070643"],
        &["explain", "-2147023293"],
        &["explain", "2147944003"],
    ] {
        let (code, stdout, stderr) = winrefit(args);
        assert_eq!((code, stderr.as_str()), (0, ""), "{args:?}");
        assert!(stdout.contains("ERROR_INSTALL_FAILURE"), "{args:?}: {stdout}");
    }
    let (code, stdout, _) = winrefit(&["explain", "Operation", "failed:", "70", "exit", "7"]);
    assert_eq!(code, 0);
    assert!(
        stdout.contains("reagentc: the volume is full") && stdout.contains("Needs attention"),
        "{stdout}"
    );
}

#[test]
fn the_json_of_explain_has_an_entry_for_each_meaning() {
    let document = json(0, &["explain", "2", "bitlocker"]);
    assert_eq!(document["schema"], "winrefit.explain/1");
    let codes: Vec<_> = document["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| &e["code"])
        .collect();
    assert_eq!(codes, ["exit 2", "ErrorPhase 2", "reagentc 2", "bitlocker"]);
    let entry = &document["entries"][3];
    assert_eq!(entry["kinds"], serde_json::json!(["finding", "refusal"]));
    for field in ["title", "means"] {
        assert!(entry[field].is_string(), "{field}");
    }
    for field in ["causes", "next", "sources"] {
        assert!(!entry[field].as_array().unwrap().is_empty(), "{field}");
    }
    let list = json(0, &["explain", "--list"]);
    assert_eq!(list["schema"], "winrefit.explain/1");
    assert!(list["codes"].as_array().unwrap().len() > 140);
    assert!(list["codes"][0]["title"].is_string());
}

#[test]
fn an_unknown_code_is_a_usage_error_that_leads_on() {
    let (code, stdout, stderr) = winrefit(&["explain", "bitlocker", "re-to-small"]);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(
        stderr.contains("\"re-to-small\" is no code") && stderr.contains("Did you mean re-too-small"),
        "{stderr}"
    );
    assert!(stderr.contains("explain --list"), "{stderr}");
    let (_, _, stderr) = winrefit(&["explain", "KB5034441"]);
    assert!(stderr.contains("`winrefit kb 5034441`"), "{stderr}");
    let error = json(2, &["explain", "nonsense"]);
    assert_eq!(error["error"]["code"], "no-such-code");
    assert_eq!(winrefit(&["explain"]).0, 2, "a code is needed");
    assert_eq!(winrefit(&["explain", "--list", "bitlocker"]).0, 2);
}

#[test]
fn an_update_is_told_of_by_number() {
    for number in ["5034441", "KB5034441", "kb5034441"] {
        let (code, stdout, _) = winrefit(&["kb", number]);
        assert_eq!(code, 0);
        for words in [
            "CVE-2024-20666",
            "10.0.19041.3920",
            "withdrawn 2024-08",
            "KB5042320",
            "Windows 10",
        ] {
            assert!(stdout.contains(words), "{words}: {stdout}");
        }
    }
    let document = json(0, &["kb", "5034441"]);
    assert_eq!(document["schema"], "winrefit.kb/1");
    assert!(document["build"].is_null());
    let update = &document["updates"][0];
    assert_eq!(update["kb"], 5_034_441);
    assert_eq!(update["kind"], "winre");
    assert_eq!(update["image"], "10.0.19041.3920");
    assert_eq!(update["replaced_by"], serde_json::json!([5_042_320]));
    assert!(update["text"].as_str().unwrap().ends_with("Microsoft says so."));
}

#[test]
fn a_build_is_told_of_with_the_versions_that_it_needs() {
    let document = json(0, &["kb", "10.0.20348.2113"]);
    let build = &document["build"];
    assert_eq!(
        (&build["build"], &build["family"]),
        (&20_348.into(), &20_348.into())
    );
    assert_eq!(build["servicing"], "own");
    assert_eq!(build["newest_winre_kb"], 5_057_588);
    assert_eq!(build["floors"][0]["met"], false);
    assert_eq!(build["floors"][0]["version"], "10.0.20348.2201");
    assert_eq!(document["updates"].as_array().unwrap().len(), 4);
    assert_eq!(
        json(0, &["kb", "22631"])["build"]["servicing"],
        "within-cumulative"
    );
    assert!(json(0, &["kb", "19045"])["build"]["floors"][0]["met"].is_null());
    let (code, stdout, _) = winrefit(&["kb", "12345"]);
    assert_eq!(code, 0);
    assert!(stdout.contains("nothing on this build"), "{stdout}");
}

#[test]
fn the_table_has_all_updates() {
    let document = json(0, &["kb"]);
    assert!(document["updates"].as_array().unwrap().len() >= 40);
    assert_eq!(document["floors"].as_array().unwrap().len(), 3);
    let (code, stdout, _) = winrefit(&["kb"]);
    assert_eq!(code, 0);
    for update in document["updates"].as_array().unwrap() {
        assert!(stdout.contains(&format!("KB{}", update["kb"])), "{update}");
    }
}

#[test]
fn an_unknown_update_says_how_to_recognise_one() {
    let (code, stdout, stderr) = winrefit(&["kb", "KB9999999"]);
    assert_eq!((code, stdout.as_str()), (2, ""));
    let stderr = stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        stderr.contains("KB9999999 is not known to this version"),
        "{stderr}"
    );
    assert!(
        stderr.contains("\"Windows Recovery Environment Update\""),
        "{stderr}"
    );
    assert_eq!(json(2, &["kb", "22H2"])["error"]["code"], "no-such-update");
}
