//! How much is tried, and the table of it.

use super::cuts::Kind;
use super::judge::is_harmful;
use super::matrix::Tally;
use super::runs::LOGS;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// States of a usual run.
const STATES: usize = 20_000;

fn number(variable: &str) -> Option<usize> {
    let text = std::env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable} is no number: {text}")),
    )
}

/// States of each log, and the seed.
pub fn amount() -> (usize, u64) {
    START.lock().unwrap().get_or_insert_with(Instant::now);
    let states = number("WINREFIT_CRASH_STATES").unwrap_or(STATES);
    let seed = number("WINREFIT_CRASH_SEED").unwrap_or(1);
    (states.div_ceil(LOGS), seed as u64)
}

static START: Mutex<Option<Instant>> = Mutex::new(None);
static JUDGED: AtomicUsize = AtomicUsize::new(0);
static ROWS: Mutex<Vec<(String, Tally)>> = Mutex::new(Vec::new());

/// Notes a log, and of how many states outside tools were asked; behind the last log the table is printed.
pub fn finished(name: &str, tally: &Tally, judged: usize) {
    println!(
        "{name}: {} states, {} distinct, ends {:?}, calls {:?}, {judged} judged by others, not clean {}: {:?}",
        tally.states(),
        tally.distinct,
        tally.ends,
        tally.calls,
        tally.unclean_states,
        tally.unclean
    );
    let mut rows = ROWS.lock().unwrap();
    rows.push((name.to_owned(), tally.clone()));
    JUDGED.fetch_add(judged, Ordering::Relaxed);
    if rows.len() == LOGS {
        rows.sort_by(|a, b| a.0.cmp(&b.0));
        print(&rows);
    }
}

fn print(rows: &[(String, Tally)]) {
    let sum = |count: fn(&Tally) -> u64| rows.iter().map(|(_, tally)| count(tally)).sum::<u64>();
    println!("\n| run | events | states | distinct | not clean before resume |\n|---|---:|---:|---:|---|");
    for (name, tally) in rows {
        let harmful = tally.unclean.iter().filter(|(flaw, _)| is_harmful(flaw));
        let kinds: Vec<String> = harmful.map(|(flaw, count)| format!("{flaw}: {count}")).collect();
        let (states, distinct) = (tally.states(), tally.distinct);
        println!(
            "| {name} | {} | {states} | {distinct} | {} |",
            tally.events,
            kinds.join("; ")
        );
    }
    let (states, seed) = (sum(Tally::states), amount().1);
    println!(
        "| all | {} | {states} | {} | {} states |\n",
        sum(|tally| tally.events as u64),
        sum(|tally| tally.distinct),
        sum(|tally| tally.unclean_states)
    );
    println!("| cut | states |\n|---|---:|");
    for kind in Kind::ALL {
        let all = rows
            .iter()
            .filter_map(|(_, tally)| tally.kinds.get(&kind))
            .sum::<u64>();
        println!("| {} | {all} |", kind.name());
    }
    println!(
        "| a second cut, within the resume | {} |",
        sum(|tally| tally.second)
    );
    let mut flaws: BTreeMap<&str, u64> = BTreeMap::new();
    for (flaw, count) in rows.iter().flat_map(|(_, tally)| &tally.unclean) {
        *flaws.entry(flaw).or_default() += count;
    }
    println!("\n| before the resume | states |\n|---|---:|");
    for (flaw, count) in flaws {
        println!("| {flaw} | {count} |");
    }
    let seconds = START.lock().unwrap().map_or(0, |start| start.elapsed().as_secs());
    let judged = JUDGED.load(Ordering::Relaxed);
    println!("\n{states} states, seed {seed}, {seconds} s; {judged} of them judged by other tools");
    let wanted = number("WINREFIT_CRASH_STATES").unwrap_or(STATES) as u64;
    assert!(states >= wanted, "{states} states of {wanted}");
}
