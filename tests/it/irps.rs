//! Drivers, devices and IRPs of whole synthetic systems.

use std::collections::BTreeMap;

use dumpql::internals::dump::Image;
use dumpql::internals::model::{Device, Dispatch, Driver, Irp, IrpLocation, Module, Source, Want};
use dumpql::internals::source;
use dumpql::internals::symbol::Store;
use dumpql::internals::synth::{self, Damage, Format, System, SystemSpec, ThreadLock, Windows};
use dumpql::{Options, Session};

use crate::systems::{ALL, rows};

fn open(system: &System, format: Format) -> Box<dyn Source> {
    let image = Image::from_bytes("it", system.to_vec(format));
    source::open(image, &Store::default()).expect("it is a kernel dump")
}

/// A system of each version and the busy server, with the dump of each.
fn each_system(mut show: impl FnMut(&str, &System, &dyn Source)) {
    for windows in ALL {
        let spec = SystemSpec { physical_pages: 0x2000, ..synth::healthy(windows) };
        let system = synth::system(&spec);
        show(&format!("{windows:?}"), &system, &*open(&system, Format::BitmapKernel));
    }
    let system = synth::system(&synth::server_2003());
    show("the server", &system, &*open(&system, Format::KernelSummary));
}

fn signed(number: u64) -> Option<i64> {
    i64::try_from(number).ok()
}

/// Nothing is null.
fn some(address: u64) -> Option<u64> {
    (address != 0).then_some(address)
}

#[test]
fn drivers_match_the_system() {
    each_system(|what, system, source| {
        let facts = &system.facts.io;
        let mut found: Vec<_> = rows(|emit| source.answers().read::<Driver>(&Want::ALL, emit))
            .into_iter()
            .map(|d| {
                let routines = [d.init, d.start_io, d.unload, d.add_device].map(Result::ok);
                let image = (d.start.ok(), d.size_bytes.ok(), d.module.ok().is_some());
                let names = (d.driver.ok(), d.service_key.ok());
                (d.driver_object.ok(), names, image, routines, d.device_count.ok())
            })
            .collect();
        let mut expected: Vec<_> = facts
            .drivers
            .iter()
            .map(|d| {
                let routines = [d.init, d.start_io, d.unload, d.add_device].map(some);
                let size = if d.image.0 == 0 { None } else { signed(d.image.1.into()) };
                let image = (some(d.image.0), size, d.image.0 != 0);
                let count = facts.devices.iter().filter(|device| device.driver == d.path).count();
                let names = (Some(d.path.clone()), Some(d.service.clone()));
                (Some(d.address), names, image, routines, signed(count as u64))
            })
            .collect();
        found.sort();
        expected.sort();
        assert!(expected.len() > 9, "{what}");
        assert_eq!(found, expected, "{what}: drivers");
        let modules = rows(|emit| source.answers().read::<Module>(&Want::ALL, emit));
        for module in modules {
            let base = module.base.ok();
            let driver = facts.drivers.iter().find(|d| d.image.0 != 0 && some(d.image.0) == base);
            assert_eq!(module.driver_object.ok(), driver.map(|d| d.address), "{what}");
        }
    });
}

#[test]
fn an_unlisted_driver_is_found_in_the_pool() {
    for windows in ALL {
        let system =
            synth::system(&SystemSpec { physical_pages: 0x2000, ..synth::hooked(windows) });
        let source = open(&system, Format::BitmapKernel);
        let found = rows(|emit| source.answers().read::<Driver>(&Want::ALL, emit));
        assert_eq!(found.len(), system.facts.io.drivers.len(), "{windows:?}");
        let hidden: Vec<_> = found.iter().filter(|row| row.is_listed == Ok(false)).collect();
        assert_eq!(hidden.len(), 1, "{windows:?}");
        assert_eq!(hidden[0].driver.as_deref(), Ok(r"\Driver\Nobody"), "{windows:?}");
        let fact = system.facts.io.drivers.iter().find(|driver| driver.is_hidden).unwrap();
        assert_eq!(hidden[0].driver_object, Ok(fact.address), "{windows:?}");
    }
}

#[test]
fn dispatch_tables_have_every_routine_and_mark_those_outside_the_driver() {
    each_system(|what, system, source| {
        let kernel = system.kernel.0..system.kernel.0 + u64::from(system.kernel.1);
        let mut found: Vec<_> = rows(|emit| source.answers().read::<Dispatch>(&Want::ALL, emit))
            .into_iter()
            .map(|d| {
                assert!(d.major_name.is_ok(), "{what}");
                (d.driver_object.ok(), d.major.ok(), d.address.ok(), d.is_outside_module.ok())
            })
            .collect();
        let drivers = &system.facts.io.drivers;
        let mut expected: Vec<_> = drivers
            .iter()
            .flat_map(|driver| {
                let (base, size) = driver.image;
                let own = base..base + u64::from(size);
                (0..).zip(driver.major).map({
                    let kernel = kernel.clone();
                    move |(major, at)| {
                        let outside = !own.contains(&at) && !kernel.contains(&at);
                        (Some(driver.address), Some(major), Some(at), Some(outside))
                    }
                })
            })
            .collect();
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "{what}: dispatch routines");
        // Disk drivers leave their IRPs to the class driver.
        assert_eq!(expected.iter().filter(|row| row.3 == Some(true)).count(), 7, "{what}");
    });
}

#[test]
fn devices_have_their_position_in_the_device_stack() {
    each_system(|what, system, source| {
        let facts = &system.facts.io;
        let address = |index: Option<usize>| index.map(|index| facts.devices[index].address);
        let depth = |mut index: usize| {
            let mut depth = 0;
            while let Some(lower) = facts.devices[index].lower {
                (index, depth) = (lower, depth + 1);
            }
            depth
        };
        let mut found: Vec<_> = rows(|emit| source.answers().read::<Device>(&Want::ALL, emit))
            .into_iter()
            .map(|d| {
                let stack = (d.attached_to.ok(), d.attached_device_object.ok(), d.stack_depth.ok());
                let queue = (d.current_irp.ok(), d.queue_length.ok());
                let node = (d.device_node.ok(), d.instance_path.ok(), d.service.ok());
                let codes =
                    [d.device_type, d.flags, d.characteristics, d.reference_count].map(Result::ok);
                (d.device_object.ok(), (d.name.ok(), d.driver.ok()), codes, stack, queue, node)
            })
            .collect();
        let mut expected: Vec<_> = facts
            .devices
            .iter()
            .enumerate()
            .map(|(i, d)| {
                let upper = facts.devices.iter().position(|upper| upper.lower == Some(i));
                let stack = (address(d.lower), address(upper), Some(depth(i)));
                let current = d.current.map(|index| facts.requests[index].address);
                let queue = (current, d.queue.as_ref().and_then(|q| signed(q.len() as u64)));
                let (instance, service) = d.node.clone().unzip();
                let node = (some(d.node_address), instance, service);
                let name = d.path.rsplit('\\').next().filter(|name| !name.is_empty());
                let names = (name.map(str::to_owned), Some(d.driver.clone()));
                let codes = [d.kind, d.flags, d.characteristics, d.references].map(signed);
                (Some(d.address), names, codes, stack, queue, node)
            })
            .collect();
        found.sort();
        expected.sort();
        assert!(expected.iter().any(|row| row.3.2 == Some(2)), "{what}: no stack of three");
        assert_eq!(found, expected, "{what}: devices");
    });
}

/// The IRPs of a system: those of the specification, and those that only threads refer to.
fn irps_of(system: &System) -> BTreeMap<u64, Option<&synth::Request>> {
    let threads = system.facts.processes.iter().flat_map(|process| &process.threads);
    let mut all: BTreeMap<u64, Option<&synth::Request>> =
        threads.flat_map(|thread| &thread.irps).map(|irp| (*irp, None)).collect();
    all.extend(system.facts.io.requests.iter().map(|request| (request.address, Some(request))));
    all
}

/// The places where an IRP must be found.
fn places(system: &System, number: usize) -> Vec<&'static str> {
    let facts = &system.facts.io;
    let at_device = |device: &synth::Device| {
        device.current == Some(number)
            || device.queue.as_ref().is_some_and(|queue| queue.contains(&number))
    };
    let mut places = Vec::new();
    if facts.requests[number].is_listed {
        places.push("thread");
    }
    if facts.devices.iter().any(at_device) {
        places.push("device");
    }
    // Those whose address is published have no block.
    let at = facts.requests[number].address;
    if system.pool.iter().any(|block| (block.address..block.address + block.bytes).contains(&at)) {
        places.push("pool");
    }
    places
}

#[test]
fn irps_are_found_on_threads_and_devices_and_in_the_pool() {
    each_system(|what, system, source| {
        let facts = &system.facts;
        let listed: BTreeMap<u64, _> = rows(|emit| source.answers().read::<Irp>(&Want::ALL, emit))
            .into_iter()
            .map(|irp| (irp.irp.unwrap(), irp))
            .collect();
        for (at, request) in irps_of(system) {
            let Some(request) = request else {
                assert!(listed.contains_key(&at), "{what}: {at:#x} is not listed");
                continue;
            };
            let number = facts.io.requests.iter().position(|r| r.address == at).unwrap();
            let places = places(system, number);
            let Some(irp) = listed.get(&at) else {
                panic!("{what}: {at:#x} is not found in {places:?}");
            };
            assert_eq!(irp.found_in, Ok(places.join(" ")), "{what}: {at:#x}");
            let count = request.stack.len() as u64;
            let is_completed = request.current > count;
            assert_eq!(irp.is_completed, Ok(is_completed), "{what}: {at:#x}");
            assert_eq!(irp.stack_count.ok(), signed(count), "{what}");
            assert_eq!(irp.current_location.ok(), signed(request.current), "{what}");
            let threads = facts.processes.iter().flat_map(|p| &p.threads);
            let thread = threads.clone().find(|t| t.tid == request.tid && t.tid != 0);
            assert_eq!(irp.ethread.ok(), thread.map(|t| t.ethread), "{what}");
            assert_eq!(irp.tid.ok(), thread.and_then(|t| signed(t.tid)), "{what}");
            assert_eq!(irp.is_cancelled, Ok(request.is_cancelled), "{what}");
            assert_eq!(irp.cancel_routine.ok(), some(request.cancel), "{what}");
            assert_eq!(irp.mdl.ok(), some(request.mdl), "{what}");
            assert_eq!(irp.system_buffer.ok(), some(request.buffer), "{what}");
            assert_eq!(irp.information.ok(), Some(request.status.1), "{what}");
            let current = usize::try_from(request.current - 1).unwrap();
            let place = request.stack.get(current).filter(|_| !is_completed);
            let device = place.and_then(|p| p.device).map(|i| &facts.io.devices[i]);
            assert_eq!(irp.device_object.ok(), device.map(|d| d.address), "{what}");
            assert_eq!(irp.driver.clone().ok(), device.map(|d| d.driver.clone()), "{what}");
            assert_eq!(irp.major.ok(), place.and_then(|p| signed(p.function.0)), "{what}");
            let pending = place.map(|p| p.flags.1 & 1 != 0);
            assert_eq!(irp.is_pending.ok(), pending, "{what}");
            let file = place
                .filter(|p| !p.file.is_empty())
                .map(|p| facts.objects.iter().find(|object| object.path == p.file).unwrap());
            assert_eq!(irp.file_object.ok(), file.map(|file| file.address), "{what}");
            assert_eq!(irp.file_name.clone().ok(), file.map(|file| file.file.clone()), "{what}");
        }
        assert_eq!(listed.len(), irps_of(system).len(), "{what}");
        assert!(listed.values().any(|irp| irp.found_in.as_deref() == Ok("pool")), "{what}");
    });
}

#[test]
fn stack_locations_match_the_irps() {
    each_system(|what, system, source| {
        let facts = &system.facts.io;
        let mut listed: BTreeMap<u64, Vec<_>> = BTreeMap::new();
        for row in rows(|emit| source.answers().read::<IrpLocation>(&Want::ALL, emit)) {
            listed.entry(row.irp.unwrap()).or_default().push(row);
        }
        let mut compared = 0;
        for request in &facts.requests {
            let Some(rows) = listed.get(&request.address) else { continue };
            assert_eq!(rows.len(), request.stack.len(), "{what}");
            let places: Vec<_> = (1..).zip(&request.stack).collect();
            for (row, (number, place)) in rows.iter().zip(places.into_iter().rev()) {
                assert_eq!(row.index.ok(), signed(number), "{what}");
                assert_eq!(row.is_current, Ok(number == request.current), "{what}");
                let codes = (row.major.ok(), row.minor.ok());
                assert_eq!(codes, (signed(place.function.0), signed(place.function.1)), "{what}");
                assert_eq!((row.flags.ok(), row.control.ok()), (Some(0), signed(place.flags.1)));
                let arguments = [row.arg1, row.arg2, row.arg3, row.arg4].map(Result::ok);
                assert_eq!(arguments, place.arguments.map(Some), "{what}");
                let device = place.device.map(|index| &facts.devices[index]);
                assert_eq!(row.device_object.ok(), device.map(|d| d.address), "{what}");
                assert_eq!(row.driver.clone().ok(), device.map(|d| d.driver.clone()), "{what}");
                assert_eq!(row.completion_routine.ok(), some(place.completion.0), "{what}");
                assert_eq!(row.context.ok(), some(place.completion.1), "{what}");
                let on = some(place.completion.0).map(|_| "success error cancel".to_owned());
                assert_eq!(row.completes_on.clone().ok(), on, "{what}");
                compared += 1;
            }
        }
        assert!(compared > 12, "{what}: {compared} locations");
    });
}

fn session(spec: &SystemSpec) -> Session {
    let spec = SystemSpec { physical_pages: 0x4000, ..spec.clone() };
    let image = Image::from_bytes("made.dmp", synth::system(&spec).to_vec(Format::BitmapKernel));
    Session::from_images(vec![image], &Options::default()).unwrap()
}

/// The rows of a shipped query, as text.
fn ask(session: &Session, query: &str) -> Vec<Vec<String>> {
    let query = dumpql::internals::session::find_query(query).expect("it is shipped");
    let params = dumpql::internals::session::parameters(query, &BTreeMap::new()).unwrap();
    let result = session.query_with(&query.text, &params).unwrap_or_else(|e| panic!("{e}"));
    let columns = 0..result.fields().len();
    let row = |row| columns.clone().map(|column| result.text(row, column)).collect();
    (0..result.len()).map(row).collect()
}

#[test]
fn irp_anomaly_finds_a_pile_and_is_empty_for_a_healthy_system() {
    for windows in ALL {
        assert_eq!(ask(&session(&synth::healthy(windows)), "irp-anomaly").len(), 0, "{windows:?}");
        for (driver, count) in [(r"\FileSystem\AvFilter", 320), (r"\Driver\AFD", 1000)] {
            let sick = session(&synth::pile(windows, driver, count));
            let found = ask(&sick, "irp-anomaly");
            assert_eq!(found.len(), 1, "{windows:?}: {found:?}");
            assert_eq!(found[0][0], driver, "{windows:?}");
            let first = &ask(&sick, "irp-distribution")[0];
            let all: usize = first[1].parse().unwrap();
            // The healthy ones of the same driver are among them.
            assert!((count..count + 5).contains(&all), "{windows:?}: {first:?}");
            assert_eq!(first[0], driver, "{windows:?}");
        }
    }
    let found = ask(&session(&synth::server_2003()), "irp-anomaly");
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0][..2], [r"\FileSystem\SomeFlt", "412"], "{found:?}");
}

#[test]
fn undamaged_irps_are_listed_despite_damage() {
    let tables = [
        "drivers",
        "driver_dispatch",
        "devices",
        "irps",
        "irp_stack",
        "callbacks",
        "idt",
        "ssdt",
        "verifier_stacks",
    ];
    for windows in [Windows::Server2003Pae, Windows::Windows7, Windows::Windows11] {
        for damage in Damage::ALL {
            let spec = SystemSpec { physical_pages: 0x2000, ..synth::healthy(windows) };
            let mut system = synth::system(&spec);
            system.damage(damage);
            let image = Image::from_bytes("made.dmp", system.to_vec(Format::BitmapKernel));
            let session = Session::from_images(vec![image], &Options::default()).unwrap();
            let count = |table: &str| {
                session.query(&format!("SELECT * FROM {table}")).map_or(0, |rows| rows.len())
            };
            let found = tables.map(count);
            let facts = &system.facts.io;
            match damage {
                Damage::DeviceCycles => {
                    assert_eq!(found[0], facts.drivers.len(), "{windows:?}");
                    // The newest device of each driver is still there.
                    assert!(found[2] >= 7, "{windows:?}: {} devices", found[2]);
                    let sql = "SELECT count(*) FROM devices WHERE why(stack_depth) = 'unreadable'";
                    let cycles = session.query(sql).unwrap().text(0, 0);
                    assert_ne!(cycles, "0", "{windows:?}");
                }
                Damage::StackCounts => {
                    // One in four has no more than a size that is too large, which may be.
                    let whole = facts.requests.iter().skip(2).step_by(4).count();
                    assert_eq!(found[3], whole, "{windows:?}");
                    assert_eq!(found[2], facts.devices.len(), "{windows:?}");
                }
                _ => {}
            }
        }
    }
}

#[test]
fn names_are_shown_as_the_dump_has_them() {
    let mut spec = SystemSpec { physical_pages: 0x2000, ..synth::healthy(Windows::Windows10) };
    let name = "\\Driver\\=cmd|' /c calc'!A1\u{1b}[2J\r\n".to_owned();
    let driver = spec.io.drivers.iter_mut().find(|driver| driver.path == r"\Driver\AFD").unwrap();
    driver.path.clone_from(&name);
    let system = synth::system(&spec);
    let source = open(&system, Format::BitmapKernel);
    let drivers = rows(|emit| source.answers().read::<Driver>(&Want::ALL, emit));
    assert!(drivers.iter().any(|driver| driver.driver.as_deref() == Ok(&*name)));
    let image = Image::from_bytes("made.dmp", system.to_vec(Format::BitmapKernel));
    let session = Session::from_images(vec![image], &Options::default()).unwrap();
    let result = session.query("SELECT driver FROM drivers WHERE driver LIKE '%calc%'").unwrap();
    assert_eq!(result.len(), 1);
}

#[test]
fn an_irp_is_as_old_as_the_wait_for_its_event() {
    for windows in ALL {
        let lock = ThreadLock { owners: vec![748], waiters: vec![756], ..ThreadLock::default() };
        let mut spec = SystemSpec { physical_pages: 0x2000, ..synth::healthy(windows) };
        spec.thread_locks = vec![lock];
        let request = spec.io.requests.first_mut().expect("the healthy system has requests");
        (request.tid, request.is_listed) = (756, true);
        // Where the thread's event is, only the built system says.
        let stacks = synth::system(&spec).facts.processes.into_iter().flat_map(|p| p.threads);
        let waiter = stacks.into_iter().find(|thread| thread.tid == 756).unwrap();
        spec.io.requests[0].event = waiter.stack.2 - 0x280;
        let system = synth::system(&spec);
        let irp = system.facts.io.requests[0].address;
        let image = Image::from_bytes("it", system.to_vec(Format::Full));
        let session = Session::from_images(vec![image], &Options::default()).unwrap();
        let sql = "SELECT i.irp, i.age_ms = t.wait_ms FROM irps AS i \
                   JOIN threads AS t USING (ethread) WHERE i.age_ms IS NOT NULL";
        let result = session.query(sql).unwrap();
        assert_eq!(result.len(), 1, "{windows:?}");
        assert_eq!(result.rows().next().unwrap().get(0).as_addr(), Some(irp), "{windows:?}");
        assert_eq!(result.text(0, 1), "true", "{windows:?}");
    }
}
