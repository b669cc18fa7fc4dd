//! Moving either end of a volume.
