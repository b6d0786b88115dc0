//! Rows of the environment variables of processes.

use crate::catalog::Absent;
use crate::model::{Emit, EnvironmentVariable, Unanswered, Want};
use crate::source::kernel::core::Core;
use crate::source::kernel::process::list::{self, ProcessOwner};
use crate::source::kernel::process::peb;

/// The variables, process by process. Where a part of an environment is not in the dump, a row
/// gives the reason.
pub(crate) fn each_variable(
    core: &Core,
    want: &Want<'_, EnvironmentVariable>,
    emit: Emit<'_, EnvironmentVariable>,
) -> Result<(), Unanswered> {
    let processes = list::process_objects(core);
    if processes.is_empty() {
        return Err(Unanswered::because("the dump holds no process object"));
    }
    let (first, last) = want.addresses(|c| c.pid);
    let mut left = peb::most_read(core);
    for process in processes {
        let owner = ProcessOwner::new(Some(&process));
        let is_wanted = owner.pid.is_ok_and(|pid| (first..=last).contains(&pid.cast_unsigned()));
        if !is_wanted && owner.pid.is_ok() {
            continue;
        }
        for variable in peb::environment(core, &process, &mut left) {
            // System processes have no environment.
            if variable == Err(Absent::NotApplicable) {
                continue;
            }
            let (name, value) = match variable {
                Ok(peb::Variable { name, value }) => (Ok(name), Ok(value)),
                Err(absent) => (Err(absent), Err(absent)),
            };
            let row = EnvironmentVariable {
                eprocess: owner.eprocess,
                pid: owner.pid,
                process: owner.name.clone(),
                name,
                value,
                ..EnvironmentVariable::default()
            };
            if emit.row(row).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}
