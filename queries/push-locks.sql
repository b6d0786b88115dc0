-- title: Push locks and mutexes
-- description: Push locks, mutexes and similar locks that threads wait for: how many wait, how long, and the owners. Since Windows 8.1.
-- needs: lock_entries
SELECT lock, min(symbol) AS symbol, min(type) AS type,
       count(*) FILTER (WHERE state = 'waiting') AS waiters, max(wait_ms) AS longest_ms,
       count(*) FILTER (WHERE state = 'owner') AS owners,
       min(ethread) FILTER (WHERE state = 'owner') AS owner,
       string_agg(DISTINCT process, ', ' ORDER BY process) FILTER (WHERE state = 'owner') AS processes
FROM lock_entries
GROUP BY lock
HAVING count(*) FILTER (WHERE state = 'waiting') > 0
ORDER BY waiters DESC, lock;
