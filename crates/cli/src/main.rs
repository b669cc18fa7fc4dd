//! winrefit
fn main() {}
