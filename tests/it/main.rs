//! The integration tests: one binary, one module a subject.

mod corpus;
mod docs;
mod kernel;
mod laws;
mod library;
mod seams;
mod sql;
mod stackwalk;
mod triage;
