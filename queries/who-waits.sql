-- title: Who waits for whom
-- description: Each waiting thread beside the thread that owns what it waits for: mutexes by their wait blocks, resources by their lists.
-- needs: wait_objects, lock_owners, lock_waiters
WITH waits AS (
    SELECT ethread AS waiter, process, owner_ethread AS owner, type AS kind, object
    FROM wait_objects
    WHERE owner_ethread IS NOT NULL
    UNION ALL
    SELECT w.ethread, w.process, o.ethread, 'resource', w.resource
    FROM lock_waiters AS w
    JOIN lock_owners AS o ON o.resource = w.resource
)
SELECT owner, count(DISTINCT waiter) AS waiters, kind, object
FROM waits
WHERE waiter <> owner
GROUP BY owner, kind, object
ORDER BY waiters DESC, owner;
