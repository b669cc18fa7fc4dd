//! Changing the content of files in place.
