//! The part of the command line that tools need besides the program: the arguments with their help, and the languages.

pub mod args;
pub mod language;
pub mod size;
