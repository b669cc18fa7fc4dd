//! Logs written by hand in the shapes that were seen, and what is no log.

mod parsers;
mod tails;

use super::*;

fn tail(text: &str) -> Tail {
    read_tail(&text.as_bytes().to_vec(), 1 << 20).unwrap()
}

fn at(text: &str) -> LogTime {
    let (time, rest) = LogTime::parse(text).unwrap();
    assert_eq!(rest, "");
    time
}
