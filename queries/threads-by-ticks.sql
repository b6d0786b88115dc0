-- title: Threads by waiting time
-- description: Threads that do not wait come first, then those that began to wait last: what was active when the dump was written.
-- debugger: !stacks [0|1]
-- chart: histogram x=wait_ms
-- param: ticks INTEGER = 1000000000 -- longest wait in clock ticks
-- needs: threads
SELECT wait_ticks, wait_ms, process, pid, tid, ethread, state, wait_reason, blocker, start_symbol
FROM threads
WHERE wait_ticks IS NULL OR wait_ticks <= $ticks
ORDER BY wait_ticks NULLS FIRST, pid, tid;
