//! Making a volume: an empty one, or one with a whole tree of files laid out in one pass.
