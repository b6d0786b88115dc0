//! The version resource of an image.

use super::{Image, RESOURCES};
use crate::symbol::bytes::{align4, u16_at, u32_at};

const VERSION: u32 = 16;
/// Upper limit on the entries of a resource directory.
const MAX_ENTRIES: u16 = 256;
/// The largest version resource; usual ones are below 4 KB.
const MAX_RESOURCE: usize = 0x1_0000;
/// Elements of version resources are nested at most this deep.
const MAX_DEPTH: usize = 4;
/// Upper limit on the examined elements of a resource.
const MAX_ELEMENTS: usize = 1024;
const FIXED: u32 = 0xfeef_04bd;

/// The contents of a version resource; absent values are `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct VersionInfo {
    /// File version in numbers (`10.0.19041.804`).
    pub file_version: Option<String>,
    /// Product version in numbers.
    pub product_version: Option<String>,
    /// Company.
    pub company: Option<String>,
    /// Description of the file.
    pub description: Option<String>,
    /// Copyright.
    pub copyright: Option<String>,
    /// The name that the file was built with.
    pub original_name: Option<String>,
    /// Internal name.
    pub internal_name: Option<String>,
    /// Name of the product.
    pub product: Option<String>,
    /// Language and code page of the text, as debuggers print them (`0409.04b0`).
    pub language: Option<String>,
}

pub(super) fn read(image: &Image<'_>) -> Option<VersionInfo> {
    let (root, _) = image.directory(RESOURCES)?;
    let versions = entry(image, root, root, Some(VERSION))?;
    let named = entry(image, root, versions, None)?;
    let data = entry(image, root, named, None)?;
    let place = image.bytes(data, 8)?;
    let (at, size) = (u32_at(&place, 0)?, u32_at(&place, 4)? as usize);
    let bytes = image.prefix(at, size.min(MAX_RESOURCE));
    let mut info = VersionInfo::default();
    let mut budget = MAX_ELEMENTS;
    element(&bytes, 0, &mut info, &mut budget);
    (info != VersionInfo::default()).then_some(info)
}

/// The target of a directory entry: the entry with this number, or the first.
fn entry(image: &Image<'_>, root: u32, directory: u32, number: Option<u32>) -> Option<u32> {
    let head = image.bytes(directory, 16)?;
    let count = u16_at(&head, 12)?.checked_add(u16_at(&head, 14)?)?.min(MAX_ENTRIES);
    (0..u32::from(count)).find_map(|i| {
        let bytes = image.bytes(directory.checked_add(i.checked_mul(8)?.checked_add(16)?)?, 8)?;
        let (name, place) = (u32_at(&bytes, 0)?, u32_at(&bytes, 4)?);
        let is_it = number.is_none_or(|number| number == name);
        is_it.then(|| root.checked_add(place & 0x7fff_ffff))?
    })
}

/// An element of the resource: length, length of the value, key, value, child elements.
fn element(bytes: &[u8], depth: usize, info: &mut VersionInfo, budget: &mut usize) -> Option<()> {
    *budget = budget.checked_sub(1)?;
    let (value_len, is_text) = (usize::from(u16_at(bytes, 2)?), u16_at(bytes, 4)? == 1);
    let (key, after) = wide(bytes, 6)?;
    let value_at = align4(after)?;
    // The length of a text value is in characters.
    let value_len = if is_text { value_len.saturating_mul(2) } else { value_len };
    let value_end = value_at.checked_add(value_len)?;
    match depth {
        0 => fixed(bytes.get(value_at..)?, info),
        2 if info.language.is_none() && key.len() == 8 => {
            let (language, page) = key.split_at_checked(4)?;
            info.language = Some(format!("{language}.{page}").to_ascii_lowercase());
        }
        3 => {
            let value = wide(bytes.get(..value_end.min(bytes.len()))?, value_at)?.0;
            take(info, &key, value);
            return Some(());
        }
        _ => {}
    }
    let below = depth.saturating_add(1);
    if below < MAX_DEPTH {
        let mut at = align4(value_end)?;
        while let Some(len) = u16_at(bytes, at).map(usize::from).filter(|len| *len >= 6) {
            let end = at.checked_add(len)?.min(bytes.len());
            element(bytes.get(at..end)?, below, info, budget);
            at = align4(end)?;
        }
    }
    Some(())
}

fn fixed(value: &[u8], info: &mut VersionInfo) {
    if u32_at(value, 0) != Some(FIXED) {
        return;
    }
    let version = |at: usize| {
        let (high, low) = (u32_at(value, at)?, u32_at(value, at.checked_add(4)?)?);
        Some(format!("{}.{}.{}.{}", high >> 16, high & 0xffff, low >> 16, low & 0xffff))
    };
    info.file_version = version(8);
    info.product_version = version(16);
}

/// Stores a value, unless an earlier language of the resource has it.
fn take(info: &mut VersionInfo, key: &str, value: String) {
    let slot = match key {
        "CompanyName" => &mut info.company,
        "FileDescription" => &mut info.description,
        "LegalCopyright" => &mut info.copyright,
        "OriginalFilename" => &mut info.original_name,
        "InternalName" => &mut info.internal_name,
        "ProductName" => &mut info.product,
        _ => return,
    };
    if slot.is_none() && !value.trim().is_empty() {
        *slot = Some(value);
    }
}

/// UTF-16 text up to a null or the end, and the offset behind it.
fn wide(bytes: &[u8], at: usize) -> Option<(String, usize)> {
    let mut units = Vec::new();
    let mut at = at;
    while let Some(unit) = u16_at(bytes, at) {
        at = at.checked_add(2)?;
        if unit == 0 {
            break;
        }
        units.push(unit);
    }
    Some((String::from_utf16_lossy(&units), at))
}
