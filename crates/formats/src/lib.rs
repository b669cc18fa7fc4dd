//! winrefit-formats
