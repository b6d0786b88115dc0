//! A definition that is either built in or supplied by the host program.

use std::ops::Deref;
use std::sync::Arc;

/// A reference to a definition, cheap to clone.
#[derive(Debug)]
pub enum Shared<T: ?Sized + 'static> {
    /// Built in.
    Static(&'static T),
    /// Supplied by the host program.
    Owned(Arc<T>),
}

impl<T: ?Sized> Clone for Shared<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Static(value) => Self::Static(value),
            Self::Owned(value) => Self::Owned(Arc::clone(value)),
        }
    }
}

impl<T: ?Sized> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self {
            Self::Static(value) => value,
            Self::Owned(value) => value,
        }
    }
}
