//! winrefit-repair
