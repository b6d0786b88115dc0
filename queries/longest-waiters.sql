-- title: The longest waiter of each lock
-- description: The thread that has waited longest for each executive resource and push lock, with the number of waiters.
-- needs: lock_waiters, lock_entries
WITH waiting AS (
    SELECT resource AS lock, 'resource' AS type, ethread, tid, process, wait_ms FROM lock_waiters
    UNION ALL
    SELECT lock, type, ethread, tid, process, wait_ms FROM lock_entries WHERE state = 'waiting'
)
SELECT lock, type, tid, process, ethread, wait_ms, count(*) OVER (PARTITION BY lock) AS waiters
FROM waiting
QUALIFY row_number() OVER (PARTITION BY lock ORDER BY wait_ms DESC, ethread) = 1
ORDER BY wait_ms DESC, lock;
