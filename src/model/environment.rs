//! Environments of processes.

use super::row;

row! {
    /// A variable in the environment of a process.
    pub EnvironmentVariable in "environment" {
        /// Address of the process.
        eprocess: u64,
        /// Process id.
        pid: i64,
        /// Image name of the process.
        process: String,
        /// Name of the variable.
        name: String,
        /// Its value.
        value: String,
    }
}
