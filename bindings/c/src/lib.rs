//! dumpql for C and C++: the functions behind `dumpql.h`.
//!
//! The header is generated from this crate, so that what is documented here is what C programmers
//! read. Every function catches panics, checks its pointers for NULL, and reports errors as objects.

#![allow(unsafe_code, reason = "pointers of C programs are followed in this crate")]
#![allow(non_camel_case_types, reason = "the names of types are those of the C interface")]
#![allow(unreachable_pub, reason = "C programs reach what is public here")]

mod arrow;
mod error;
mod guard;
mod options;
mod output;
mod result;
mod session;
mod statement;
mod token;
