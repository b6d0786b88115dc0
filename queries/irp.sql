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
SELECT s.index, s.is_current, s.major_name, s.minor_name, s.flags, s.control, s.driver, s.device_object, s.file_object,
       s.completion_symbol, s.context, s.arg1, s.arg2, s.arg3, s.arg4
FROM irps AS i
JOIN irp_stack AS s ON s.irp = i.irp
WHERE i.irp = $irp
ORDER BY s.index DESC;
