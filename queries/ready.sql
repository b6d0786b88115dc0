-- title: Ready threads
-- description: Threads that are ready to run but not running, by processor and priority, the next to run first.
-- debugger: !ready [*]
-- needs: ready_threads
SELECT processor, priority, position, ethread, pid, tid, process
FROM ready_threads
ORDER BY processor, priority DESC, position;
