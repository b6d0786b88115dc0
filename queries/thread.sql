-- title: One thread
-- description: What a thread is and does, its stack, what it waits for, and its IRPs.
-- debugger: !thread [$thread] [*], !thread -t $tid
-- param: thread ADDRESS = 0 -- address of the thread object; 0 for the one that the system stopped in
-- param: tid INTEGER = -1 -- id of the thread, in place of its address
-- needs: threads
-- optional: stacks, wait_objects, irps, bugcheck, exception
SELECT ethread, tid, pid, process, name, state, wait_reason, wait_mode, wait_ticks, wait_ms, priority, base_priority,
       processor, context_switches, user_time_ms, kernel_time_ms, start_symbol, win32_start_symbol, teb,
       stack_base, stack_limit, stack_pointer, is_stack_resident, irp_count, blocker, suspend_count
FROM threads
WHERE ethread = $thread OR tid = $tid
   OR $thread = 0x0 AND $tid < 0
      AND (ethread IN (SELECT ethread FROM bugcheck) OR tid IN (SELECT tid FROM exception));
SELECT s.frame, s.sp, s.return_address, s.symbol, s.offset, s.trust
FROM stacks AS s
WHERE s.ethread = $thread OR s.tid = $tid
   OR $thread = 0x0 AND $tid < 0
      AND (s.ethread IN (SELECT ethread FROM bugcheck) OR s.tid IN (SELECT tid FROM exception))
ORDER BY s.frame;
SELECT w.object, w.type, w.name, w.wait_type, w.owner_ethread
FROM wait_objects AS w
WHERE w.ethread = $thread OR w.ethread IN (SELECT ethread FROM threads WHERE tid = $tid)
   OR $thread = 0x0 AND $tid < 0 AND w.ethread IN (SELECT ethread FROM bugcheck);
SELECT i.irp, i.driver, i.major_name, i.device_object, i.file_name, i.is_completed, i.is_pending
FROM irps AS i
WHERE i.ethread = $thread OR i.tid = $tid
   OR $thread = 0x0 AND $tid < 0 AND i.ethread IN (SELECT ethread FROM bugcheck);
