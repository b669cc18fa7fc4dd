//! winrefit-lab
