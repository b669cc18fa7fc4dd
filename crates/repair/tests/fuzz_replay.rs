//! The fuzz targets on stable: every input that is kept in `fuzz/corpus` and, once there is one, in `fuzz/regressions`, and
//! a few that are made up here. `fuzz/README.md` has the rest.
//!
//! `WINREFIT_FUZZ_CASES` sets the number of made-up inputs of each target, `WINREFIT_FUZZ_SEED` what they are made from,
//! `WINREFIT_FUZZ_TARGET` runs one target alone, `WINREFIT_FUZZ_INPUT` one file. `WINREFIT_FUZZ_SEEDS` names a folder of
//! `fuzz` that gets the seeds.
#![allow(clippy::unwrap_used, dead_code)]

mod common;
#[path = "common/cut_cases.rs"]
mod cut_cases;
#[path = "../../disk/tests/journal_case/mod.rs"]
mod journal_case;
#[path = "../../../fuzz/src/targets/mod.rs"]
mod targets;
#[path = "common/update.rs"]
mod update;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use targets::{FuzzTarget, TARGETS, seeds};
use winrefit_lab::random::Random;

/// Made-up inputs of each target in a usual run.
const CASES: u64 = 6;
/// For one input, on a slow and busy machine.
const TIME_MAX: Duration = Duration::from_secs(20);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|value| value.parse().unwrap())
}

fn chosen() -> impl Iterator<Item = FuzzTarget> {
    let only = std::env::var("WINREFIT_FUZZ_TARGET").ok();
    if let Some(only) = &only {
        let is_known = TARGETS.iter().any(|(name, _)| name == only);
        assert!(is_known, "WINREFIT_FUZZ_TARGET: there is no target {only}");
    }
    let all = TARGETS.iter().copied();
    all.filter(move |(name, _)| only.as_deref().is_none_or(|only| only == *name))
}

fn run(target: fn(&[u8]), input: &[u8], what: &str) {
    let begun = Instant::now();
    // The name is needed to find the input again: a panic shows what was printed last.
    println!("{what}");
    target(input);
    let taken = begun.elapsed();
    assert!(taken < TIME_MAX, "{what} took {taken:?}");
}

/// The files of a folder; none if there is no such folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => panic!("{}: {error}", folder.display()),
    };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// The inputs that are kept, each with the name of its target.
fn kept() -> Vec<(String, PathBuf)> {
    let of_target = |place: PathBuf| {
        let name = place.file_name().unwrap().to_str().unwrap().to_owned();
        let is_known = TARGETS.iter().any(|(target, _)| *target == name);
        assert!(is_known, "{}: there is no such target", place.display());
        files(&place).into_iter().map(move |path| (name.clone(), path))
    };
    let places = ["regressions", "corpus"].map(|kind| files(&folder().join(kind)));
    places.into_iter().flatten().flat_map(of_target).collect()
}

#[test]
fn what_is_kept_is_replayed() {
    if let Ok(input) = std::env::var("WINREFIT_FUZZ_INPUT") {
        let input = std::fs::read(input).unwrap();
        return chosen().for_each(|(name, target)| run(target, &input, name));
    }
    let kept = kept();
    assert!(!kept.is_empty(), "nothing is kept in {}", folder().display());
    let mut count = 0;
    for (name, target) in chosen() {
        for (_, path) in kept.iter().filter(|(own, _)| own == name) {
            let input = std::fs::read(path).unwrap();
            run(target, &input, &path.display().to_string());
            count += 1;
        }
    }
    println!("{count} of {} inputs", kept.len());
    let is_one_alone = std::env::var_os("WINREFIT_FUZZ_TARGET").is_some();
    assert!(is_one_alone || count == kept.len(), "{count} of {}", kept.len());
}

/// An empty input is a base without a change, which has to be sound; so the targets do reach what they are for.
#[test]
fn the_bases_are_sound() {
    for (name, target) in chosen() {
        for first in 0..12u8 {
            run(target, &[first], &format!("{name}, base {first}"));
        }
    }
}

#[test]
fn seeds_are_survived() {
    let folder = std::env::var("WINREFIT_FUZZ_SEEDS")
        .ok()
        .map(|name| folder().join(name));
    for (index, (name, seed)) in seeds::seeds().into_iter().enumerate() {
        if let Some(folder) = folder.as_ref().map(|folder| folder.join(name)) {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join(format!("seed-{index:03}")), &seed).unwrap();
            continue;
        }
        // Bases without a change have a test of their own.
        for (_, target) in chosen().filter(|(own, _)| *own == name && seed.len() > 1) {
            run(target, &seed, &format!("{name}, seed {index}"));
        }
    }
}

#[test]
fn made_up_inputs_are_survived() {
    let seed = number("WINREFIT_FUZZ_SEED").unwrap_or(1);
    let cases = number("WINREFIT_FUZZ_CASES").unwrap_or(CASES);
    eprintln!("WINREFIT_FUZZ_SEED={seed} WINREFIT_FUZZ_CASES={cases}");
    for (name, target) in chosen() {
        for case in 0..cases {
            let mut random = Random::new(seed.wrapping_mul(0x1_0000) + case);
            let length = random.next_u64() % 48;
            let input: Vec<u8> = (0..length).map(|_| (random.next_u64() >> 24) as u8).collect();
            run(target, &input, &format!("{name} {input:02x?}"));
        }
    }
}
