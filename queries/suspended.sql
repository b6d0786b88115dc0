-- title: Suspended threads
-- description: Threads that somebody suspended, and that nobody resumed.
-- pattern: Suspended Threads
-- severity: low
-- meaning: Threads are suspended: what waits for them waits until somebody resumes them.
-- next: Look for what they hold, with who-waits.
-- needs: threads
SELECT ethread, tid, pid, process, suspend_count, state, wait_ms, start_symbol
FROM threads
WHERE suspend_count > 0
ORDER BY process, tid;
