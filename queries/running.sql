-- title: Running threads
-- description: What runs on each processor, what is to run next, and whether it is idle: a busy system has no idle processor.
-- alias: !running
-- needs: processors
SELECT processor, prcb, current_ethread, current_process, next_ethread, idle_ethread, is_idle, irql, queued_locks
FROM processors
ORDER BY processor;
