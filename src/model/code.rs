//! Instructions, and the symbol files that modules need.

use super::row;

row! {
    /// An instruction.
    pub Instruction in "disassembly" {
        /// Address of the instruction.
        address: u64,
        /// Symbol of the listing that it is in.
        symbol: String,
        /// Its bytes, in hex.
        bytes: String,
        /// Mnemonic.
        mnemonic: String,
        /// Operands.
        operands: String,
        /// Address that it refers to or branches to.
        target: u64,
        /// Symbol of that address.
        target_symbol: String,
        /// Whether it is a call.
        is_call: bool,
        /// Label of the block that it is in.
        block: String,
    }
}

row! {
    /// A symbol file that a module needs.
    pub NeededSymbol in "needed_symbols" {
        /// Name of the module.
        module: String,
        /// Base of the module.
        base: u64,
        /// Name of the PDB file.
        pdb: String,
        /// GUID of the PDB, upper case without separators.
        guid: String,
        /// Age of the PDB.
        age: i64,
        /// The path of the file in a symbol store, below the store's folder.
        store_path: String,
        /// The path at which it was found.
        found_at: String,
        /// Status of its symbols.
        status: String,
    }
}
