//! The ranking rules, on stacks made by hand.

use super::*;
use crate::unwind::Trust;

fn at(module: &str, offset: u64) -> Located {
    Located { module: module.to_owned(), symbol: None, offset }
}

fn frame(ip: u64, is_exact: bool) -> Frame {
    let (trust, return_address, arguments) = (Trust::Scan, None, None);
    Frame { ip, sp: ip, return_address, arguments, trust, is_exact }
}

/// Module 1 is the kernel and module 2 a file system; 3 and 4 are third-party drivers.
fn locate(ip: u64) -> Option<Located> {
    let module = match ip >> 16 {
        1 => "nt",
        2 => "Ntfs",
        3 => "bad",
        4 => "worse",
        _ => return None,
    };
    Some(at(module, ip & 0xffff))
}

fn blamed(frames: &[(u64, bool)]) -> (String, Option<i64>, String) {
    let frames: Vec<Frame> = frames.iter().map(|(ip, exact)| frame(*ip, *exact)).collect();
    let mut evidence = Evidence::default();
    evidence.frames(&frames, locate, &SYSTEM);
    let first = evidence.ranked().remove(0);
    (first.place.display(), first.frame, first.evidence)
}

#[test]
fn the_first_frame_outside_the_kernel_and_microsofts_modules_is_suspected() {
    let found = blamed(&[
        (0x1_0010, true),
        (0x1_0020, false),
        (0x2_0100, false),
        (0x3_0200, false),
        (0x4_0300, false),
    ]);
    let reason = "first frame outside the kernel and Microsoft's modules";
    assert_eq!(found, ("bad+0x200".into(), Some(3), reason.into()));
    let trapped =
        blamed(&[(0x1_0010, true), (0x4_0020, false), (0x3_0200, true), (0x1_0300, false)]);
    let reason = "first frame outside the kernel after the trap frame";
    assert_eq!(trapped, ("bad+0x200".into(), Some(2), reason.into()));
}

#[test]
fn microsofts_modules_are_suspected_if_there_is_no_other() {
    let found = blamed(&[(0x1_0010, true), (0x1_0020, false), (0x2_0100, false)]);
    assert_eq!(found.0, "Ntfs+0x100");
    let kernel = blamed(&[(0x1_0010, true), (0x1_0020, false)]);
    assert_eq!((kernel.0, kernel.1), ("nt+0x20".into(), Some(1)));
}

#[test]
fn a_parameter_that_is_code_is_the_strongest_evidence() {
    let mut evidence = Evidence::default();
    let frames = [frame(0x1_0000, true), frame(0x3_0001, false)];
    evidence.frames(&frames, locate, &SYSTEM);
    evidence.parameter(2, at("display", 0x10));
    let ranked = evidence.ranked();
    assert_eq!(ranked[0].evidence, "parameter 2 points into it");
    assert_eq!(ranked[1].place.module, "bad");
}

#[test]
fn modules_that_a_parameter_leads_to_are_ranked() {
    let mut evidence = Evidence::default();
    assert!(!evidence.has_others());
    evidence.parameter(2, at("nt", 0x10));
    assert!(!evidence.has_others());
    // A Microsoft driver that holds an IRP ranks below a third-party driver on its device stack.
    evidence.object(at("pci", 0), "holds the IRP".to_owned());
    assert!(evidence.has_others());
    evidence.beside(at("bad", 0), "its device is on the stack of the IRP".to_owned());
    let first = evidence.ranked().remove(0);
    assert_eq!(first.place.module, "bad");
    let mut evidence = Evidence::default();
    evidence.object(at("bad", 0), "holds the IRP".to_owned());
    evidence.beside(at("worse", 0), "its device is on the stack of the IRP".to_owned());
    assert_eq!(evidence.ranked()[0].place.module, "bad");
    let mut evidence = Evidence::default();
    evidence.hardware(Some("Bank 5".to_owned()), "the record says so".to_owned());
    evidence.frames(&[frame(0x1_0000, true), frame(0x3_0001, false)], locate, &SYSTEM);
    assert_eq!(evidence.ranked()[0].place.display(), "hardware!Bank 5");
}

#[test]
fn the_first_frame_of_an_exception_context_is_evidence() {
    let mut evidence = Evidence::default();
    let frames = [(None, 0x1_0010), (Some(7), 0x3_0200), (None, 0x4_0300)];
    evidence.fault(frames.into_iter(), locate, &SYSTEM);
    let first = evidence.ranked().remove(0);
    assert_eq!((first.place.display(), first.frame), ("bad+0x200".into(), Some(7)));
    assert!(first.evidence.ends_with("from the context of the exception on"));
}

#[test]
fn buckets_do_not_change_with_the_kernel() {
    assert_eq!(in_bucket(&at("nt", 0x1234)), "nt");
    assert_eq!(in_bucket(&at("bad", 0x1234)), "bad+0x1234");
    assert_eq!(in_bucket(&at("bad", 0)), "bad");
}
