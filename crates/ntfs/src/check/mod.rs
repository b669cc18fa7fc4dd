//! Consistency check of a volume, read-only.
