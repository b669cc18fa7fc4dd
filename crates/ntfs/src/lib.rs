//! winrefit-ntfs
