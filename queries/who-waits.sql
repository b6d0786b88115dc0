-- title: Who waits for whom
-- description: Each thread that others wait for, and for what of it: mutexes and threads by the wait blocks of those that wait, resources by their queues.
-- needs: wait_objects, lock_owners, lock_waiters
WITH waits AS (
    SELECT ethread AS waiter, coalesce(owner_ethread, object) AS owner, type AS kind, object
    FROM wait_objects
    WHERE owner_ethread IS NOT NULL OR type = 'Thread'
    UNION ALL
    SELECT w.ethread, o.ethread, 'resource', w.resource
    FROM lock_waiters AS w
    JOIN lock_owners AS o ON o.resource = w.resource
)
SELECT owner, count(DISTINCT waiter) AS waiters, kind, object
FROM waits
WHERE waiter <> owner
GROUP BY owner, kind, object
ORDER BY waiters DESC, owner, object;
