//! The built-in definitions, assembled once, and those of a host program.

use std::sync::{Arc, LazyLock};

use crate::catalog::Shared;
use crate::exec::{self, Registry};
use crate::{func, table};

static SHIPPED: LazyLock<Arc<Registry>> = LazyLock::new(|| {
    let mut all = Registry::default();
    // The names of built-in definitions are unique; a test of the registry checks this.
    for table in table::ALL {
        let _ = all.add_table(Shared::Static(*table));
    }
    for function in func::scalars() {
        let _ = all.add_scalar(Shared::Static(function));
    }
    for function in exec::aggregates() {
        let _ = all.add_aggregate(Shared::Static(function));
    }
    for function in func::window_functions() {
        let _ = all.add_window(function);
    }
    for function in func::table_functions() {
        let _ = all.add_table_function(Shared::Static(function));
    }
    Arc::new(all)
});

/// The registry of all built-in tables and functions.
pub fn shipped() -> Arc<Registry> {
    Arc::clone(&SHIPPED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_names_are_unique() {
        let shipped = shipped();
        assert_eq!(shipped.tables().count(), table::ALL.len());
        let functions = func::scalars().count() + func::table_functions().count();
        let of_rows = exec::aggregates().count() + func::window_functions().count();
        assert_eq!(shipped.functions().len(), functions + of_rows);
    }

    #[test]
    fn functions_are_named_documented_and_shown_by_example() {
        for spec in shipped().functions() {
            for name in std::iter::once(&spec.name).chain(spec.aliases) {
                assert_eq!(*name, name.to_lowercase(), "{name}");
            }
            assert!(spec.doc.ends_with('.'), "{}: {}", spec.name, spec.doc);
            assert!(!spec.signatures.is_empty(), "{}", spec.name);
            // These two need a table and a variable.
            let needs_example = spec.is_pure && !["why", "getvariable"].contains(&spec.name);
            assert!(!spec.examples.is_empty() || !needs_example, "{} has no example", spec.name);
        }
    }
}
