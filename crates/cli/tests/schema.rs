//! Every report of the binary keeps to the schema that docs/ has of it.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

#[path = "peer_disk/support.rs"]
#[allow(dead_code)]
mod support;

use boon::{Compiler, Schemas};
use serde_json::{Value, json};
use std::path::Path;
use support::winrefit;
use winrefit_lab::{CreateOptions, Profile, create_file};

/// With every object closed, so that a field that the schema does not know is an error.
fn closed(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if fields.contains_key("properties") {
                fields.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            fields.values_mut().for_each(closed);
        }
        Value::Array(items) => items.iter_mut().for_each(closed),
        _ => {}
    }
}

/// What a document does not keep of the schema; nothing if it keeps all.
fn breaches(document: &Value) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/report.schema.json");
    let mut schema = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    closed(&mut schema);
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.add_resource("report.json", schema).unwrap();
    let index = compiler.compile("report.json", &mut schemas).unwrap();
    schemas
        .validate(document, index)
        .err()
        .map_or_else(String::new, |error| format!("{error:#}"))
}

#[test]
fn every_report_keeps_to_the_schema() {
    let folder = tempfile::tempdir().unwrap();
    let options = CreateOptions {
        size: None,
        files: Some(20),
        event_log: None,
    };
    let mut seen = 0;
    for name in [
        "case-two-diseases",
        "case-no-log",
        "win10-old-order",
        "bitlocker",
        "mbr-healthy",
        "shadow-copies",
    ] {
        let path = folder.path().join(format!("{name}.img"));
        create_file(Profile::find(name).unwrap(), &options, &path).unwrap();
        for command in [
            &["diagnose"][..],
            &["plan", "--drop-shadow-copies"],
            &["verify"],
            &["check"],
            &["fix", "--yes"],
            &["undo", "--yes"],
        ] {
            let disk = [path.to_str().unwrap(), "--format", "json"];
            let output = winrefit(&[&command[..1], &disk, &command[1..]].concat());
            let Ok(report) = serde_json::from_slice::<Value>(&output.stdout) else {
                panic!("{name} {command:?}: {}", String::from_utf8_lossy(&output.stderr));
            };
            let found = breaches(&report);
            assert!(found.is_empty(), "{name} {command:?}: {found}");
            seen += 1;
        }
        std::fs::remove_file(&path).unwrap();
    }
    assert_eq!(seen, 36);
}

#[test]
fn a_document_that_breaks_the_schema_is_found_out() {
    assert!(breaches(&json!({"schema": "winrefit.report/1"})).contains("missing"));
}
