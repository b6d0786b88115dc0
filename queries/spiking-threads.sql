-- title: Threads that run or are ready
-- description: Threads that run, stand by or are ready to run, idle threads left out, with the processor time that they have used.
-- pattern: Spiking Thread
-- severity: low
-- meaning: Threads use the processors at the time of the dump; one with much more processor time than the others is in a loop or under load.
-- next: Run !thread with its address for its stack; compare with a second dump (threads-still).
-- chart: bar x=ethread y=processor_ms
-- param: least INTEGER = 60000 -- milliseconds of processor time that are much
-- needs: threads
SELECT ethread, tid, pid, process, state, priority, kernel_time_ms, user_time_ms,
       coalesce(kernel_time_ms, 0) + coalesce(user_time_ms, 0) AS processor_ms, start_symbol
FROM threads
WHERE lower(state) IN ('running', 'standby', 'ready', 'deferredready') AND coalesce(pid, 0) <> 0
  AND coalesce(kernel_time_ms, 0) + coalesce(user_time_ms, 0) >= $least
ORDER BY processor_ms DESC, ethread;
