//! The integration tests: one binary, one module a subject.

mod corpus;
mod laws;
mod seams;
mod stackwalk;
mod triage;
