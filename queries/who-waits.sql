-- title: Who waits for whom
-- description: Each thread that others wait for, and the object: mutexes and threads from the wait blocks of the waiters, resources from their wait queues. With the processes of the waiters, and the number of threads of each.
-- chart: bar x=owner y=waiters
-- pattern: Wait Chain
-- severity: medium
-- meaning: Threads hold up other threads: each row is a thread that others wait for, with what of it they wait for.
-- next: Start with the first owner: !thread with its address shows what it does or waits for itself.
-- needs: wait_objects, lock_owners, lock_waiters
-- optional: wait_objects, lock_owners, lock_waiters, threads
WITH waits AS (
    SELECT ethread AS waiter, process AS waiting, coalesce(owner_ethread, object) AS owner, NULL AS owning,
           type AS kind, object
    FROM wait_objects
    WHERE owner_ethread IS NOT NULL OR type = 'Thread'
    UNION ALL
    SELECT w.ethread, w.process, o.ethread, o.process, 'resource', w.resource
    FROM lock_waiters AS w
    JOIN lock_owners AS o ON o.resource = w.resource
),
named AS (SELECT ethread, max(tid) AS tid, max(process) AS process FROM threads GROUP BY ethread),
by_process AS (
    SELECT w.owner, max(o.tid) AS tid, max(coalesce(o.process, w.owning)) AS owning, w.kind, w.object,
           coalesce(t.process, w.waiting) AS waiting, count(DISTINCT w.waiter) AS waiters
    FROM waits AS w
    LEFT JOIN named AS o ON o.ethread = w.owner
    LEFT JOIN named AS t ON t.ethread = w.waiter
    WHERE w.waiter <> w.owner
    GROUP BY w.owner, w.kind, w.object, coalesce(t.process, w.waiting)
)
SELECT owner, max(tid) AS owner_tid, max(owning) AS owner_process, sum(waiters) AS waiters,
       string_agg(coalesce(waiting, '?') || ' ' || waiters, ', ' ORDER BY waiters DESC, waiting) AS waiting_processes,
       kind, object
FROM by_process
GROUP BY owner, kind, object
ORDER BY waiters DESC, owner, object;
