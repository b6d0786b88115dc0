-- title: One IRP
-- description: What an I/O request packet is for and who has it, and its stack locations, the current one marked.
-- debugger: !irp $irp [*]
-- param: irp ADDRESS -- address of the IRP
-- needs: irps
-- optional: irp_stack
SELECT irp, is_completed, is_pending, is_cancelled, major_name, minor_name, driver, device_object, file_name, ethread, tid,
       process, stack_count, current_location, flags, status, information, cancel_symbol, mdl, system_buffer, user_event, age_ms, found_in
FROM irps
WHERE irp = $irp;
SELECT index, is_current, major_name, minor_name, flags, control, driver, device_object, file_object, completion_symbol, context,
       arg1, arg2, arg3, arg4
FROM irp_stack
WHERE irp = $irp
ORDER BY index DESC;
