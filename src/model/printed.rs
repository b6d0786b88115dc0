//! Debugger output that no other table holds: fields of structures, keys of an analysis, bytes,
//! symbols, local variables, and what extensions report.

use super::row;

row! {
    /// A key that `!analyze` prints, with its value.
    pub AnalysisKey in "analysis" {
        /// The key, as printed (`FAILURE_BUCKET_ID`).
        key: String,
        /// The value, as printed.
        value: String,
    }
}

row! {
    /// A field of a structure.
    pub StructureField in "structure_fields" {
        /// Type of the structure.
        structure: String,
        /// Address of the structure.
        address: u64,
        /// Names of the enclosing fields, separated by dots.
        path: String,
        /// Name of the field.
        name: String,
        /// Offset in the structure that contains it.
        offset: i64,
        /// Type of the field, where it is printed.
        kind as "type": String,
        /// The value, as printed.
        value: String,
        /// The value as a number.
        number: u64,
    }
}

row! {
    /// A name and a value that an extension command prints.
    pub ExtensionFact in "extension_facts" {
        /// Name of the command.
        command: String,
        /// Heading above it.
        block: String,
        /// Row of a table, from 1.
        item: i64,
        /// The name, or the heading of a column.
        name: String,
        /// The value, as printed.
        value: String,
    }
}

row! {
    /// Bytes or characters of memory.
    pub MemoryBytes in "memory_bytes" {
        /// Address of the first byte.
        address: u64,
        /// Number of bytes.
        size_bytes: i64,
        /// The bytes in hex.
        hex: String,
        /// The characters, as printed.
        text: String,
    }
}

row! {
    /// A symbol and its address.
    pub KnownSymbol in "symbols" {
        /// Address of the symbol.
        address: u64,
        /// Module.
        module: String,
        /// The symbol.
        symbol: String,
        /// Offset of the requested address from the symbol.
        offset: i64,
        /// Type, where it is printed.
        kind as "type": String,
        /// Value, where it is printed.
        value: String,
    }
}

row! {
    /// A local variable or a parameter.
    pub Local in "locals" {
        /// Name.
        name: String,
        /// Type, where it is printed.
        kind as "type": String,
        /// Value, as printed.
        value: String,
        /// Where it is stored.
        address: u64,
        /// Whether it is a parameter.
        is_parameter: bool,
    }
}
