//! Loaded and unloaded images.

use super::row;

row! {
    /// A loaded image.
    pub Module in "modules" {
        /// First address.
        base: u64,
        /// Address after the last.
        end: u64,
        /// Size in memory.
        size_bytes: i64,
        /// Name as debuggers print it: no directory, no extension, `nt` for the kernel.
        name: String,
        /// Full path as the system recorded it.
        path: String,
        /// File name.
        image_name: String,
        /// Time date stamp of the PE header; seconds since 1970, or a hash in reproducible builds.
        timestamp: i64,
        /// When it was built, in microseconds since 1970, where the time date stamp is a time.
        build_time: i64,
        /// Checksum of the PE header.
        checksum: i64,
        /// File version (`10.0.19041.804`).
        file_version: String,
        /// Product version.
        product_version: String,
        /// Company.
        company: String,
        /// Description.
        description: String,
        /// Copyright.
        copyright: String,
        /// Original file name.
        original_name: String,
        /// Internal name.
        internal_name: String,
        /// Language of the version information.
        language: String,
        /// Name of the PDB file.
        pdb_name: String,
        /// GUID of the PDB, upper case without separators.
        pdb_guid: String,
        /// Age of the PDB.
        pdb_age: i64,
        /// What symbols are known (`pdb`, `isf`, `export`, `none`).
        symbol_status: String,
        /// Whether it is a user-mode image.
        is_user: bool,
        /// Process id, for user-mode images.
        pid: i64,
        /// Process name, for user-mode images.
        process: String,
        /// Position in the loader's list, from 0.
        load_order: i64,
        /// Address of the driver object.
        driver_object: u64,
    }
}

row! {
    /// An image that was unloaded.
    pub UnloadedModule in "unloaded_modules" {
        /// File name.
        name: String,
        /// First address.
        start: u64,
        /// Address after the last.
        end: u64,
        /// When it was unloaded; microseconds since 1970 UTC.
        unload_time: i64,
        /// Time date stamp of the PE header.
        timestamp: i64,
        /// Checksum of the PE header.
        checksum: i64,
        /// Size in memory.
        size_bytes: i64,
    }
}
