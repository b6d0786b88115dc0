-- title: One thread
-- description: What a thread is and does, its stack, what it waits for, and its IRPs.
-- debugger: !thread [$thread] [*], !thread -t $tid
-- param: thread ADDRESS = 0 -- address of the thread object; 0 for the one that the system stopped in
-- param: tid INTEGER = -1 -- id of the thread, in place of its address
-- needs: threads
-- optional: stacks, wait_objects, irps, bugcheck, exception
SELECT t.ethread, t.tid, t.pid, t.process, t.name, t.state, t.wait_reason, t.wait_mode, t.wait_ticks, t.wait_ms,
       t.priority, t.base_priority, t.processor, t.context_switches, t.user_time_ms, t.kernel_time_ms, t.start_symbol,
       t.win32_start_symbol, t.teb, t.stack_base, t.stack_limit, t.stack_pointer, t.is_stack_resident, t.irp_count,
       t.blocker, t.suspend_count
FROM threads AS t
WHERE t.ethread = $thread OR t.tid = $tid
   OR $thread = 0x0 AND $tid < 0
      AND (t.ethread IN (SELECT ethread FROM bugcheck) OR t.tid IN (SELECT tid FROM exception));
SELECT s.frame, s.sp, s.return_address, s.symbol, s.offset, s.trust
FROM threads AS t
JOIN stacks AS s ON s.tid = t.tid AND coalesce(s.ethread, 0x0) = coalesce(t.ethread, 0x0)
WHERE t.ethread = $thread OR t.tid = $tid
   OR $thread = 0x0 AND $tid < 0
      AND (t.ethread IN (SELECT ethread FROM bugcheck) OR t.tid IN (SELECT tid FROM exception))
ORDER BY s.frame;
SELECT w.object, w.type, w.name, w.wait_type, w.owner_ethread
FROM threads AS t
JOIN wait_objects AS w ON w.ethread = t.ethread
WHERE t.ethread = $thread OR t.tid = $tid
   OR $thread = 0x0 AND $tid < 0
      AND (t.ethread IN (SELECT ethread FROM bugcheck) OR t.tid IN (SELECT tid FROM exception));
SELECT i.irp, i.driver, i.major_name, i.device_object, i.file_name, i.is_completed, i.is_pending
FROM threads AS t
JOIN irps AS i ON i.ethread = t.ethread
WHERE t.ethread = $thread OR t.tid = $tid
   OR $thread = 0x0 AND $tid < 0
      AND (t.ethread IN (SELECT ethread FROM bugcheck) OR t.tid IN (SELECT tid FROM exception));
