-- title: What a thread waits for, and who holds it
-- description: From a thread to what it waits for, to the thread that holds that, and on until a thread that waits for nothing another one holds. A cycle ends where it closes.
-- param: thread ADDRESS = 0 -- the `_ETHREAD`; 0 for the thread with the longest way
-- needs: lock_owners, lock_waiters, wait_objects
-- optional: lock_owners, lock_waiters, wait_objects, threads
WITH RECURSIVE edges AS (
    SELECT w.ethread AS waiter, o.ethread AS owner, w.resource AS object, 'resource' AS kind
    FROM lock_waiters AS w
    JOIN lock_owners AS o ON o.resource = w.resource AND o.ethread <> w.ethread
    UNION
    SELECT ethread, coalesce(owner_ethread, object), coalesce(lock, object), type
    FROM wait_objects
    WHERE owner_ethread <> ethread OR type = 'Thread' AND object <> ethread
),
ways AS (
    SELECT waiter AS start, owner AS next, 1 AS length FROM edges
    UNION
    SELECT w.start, e.owner, w.length + 1
    FROM ways AS w
    JOIN edges AS e ON e.waiter = w.next
    WHERE w.length < 50
),
chosen AS (
    SELECT start FROM ways
    WHERE $thread = 0 OR start = $thread
    ORDER BY length DESC, start
    LIMIT 1
),
chain AS (
    SELECT e.waiter, e.owner, e.object, e.kind, 1 AS step
    FROM edges AS e
    JOIN chosen AS c ON c.start = e.waiter
    UNION
    SELECT e.waiter, e.owner, e.object, e.kind, c.step + 1
    FROM chain AS c
    JOIN edges AS e ON e.waiter = c.owner
    WHERE c.step < 50 AND c.owner <> (SELECT start FROM chosen)
)
SELECT c.step, c.waiter AS thread, t.tid, t.process, c.kind, c.object, c.owner AS held_by
FROM chain AS c
LEFT JOIN threads AS t ON t.ethread = c.waiter
ORDER BY c.step, c.waiter, c.object;
