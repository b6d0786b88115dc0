-- title: Running threads
-- description: The thread that each processor runs, the next one, and whether the processor is idle. A busy system has no idle processor.
-- alias: !running
-- needs: processors
SELECT processor, prcb, current_ethread, current_process, next_ethread, idle_ethread, is_idle, irql, queued_locks
FROM processors
ORDER BY processor;
