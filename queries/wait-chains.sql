-- title: Deadlocks
-- description: Cycles of up to four threads, each of which waits for something that the next one holds: a resource, a mutex, a push lock, or the end of the thread itself. If there is no row, there is no such deadlock.
-- alias: !deadlock
-- needs: lock_owners, lock_waiters, wait_objects
WITH edges AS (
    SELECT w.ethread AS waiter, o.ethread AS owner, w.resource AS object
    FROM lock_waiters AS w
    JOIN lock_owners AS o ON o.resource = w.resource AND o.ethread <> w.ethread
    UNION
    SELECT ethread, coalesce(owner_ethread, object), coalesce(lock, object)
    FROM wait_objects
    WHERE owner_ethread <> ethread OR type = 'Thread' AND object <> ethread
)
SELECT a.waiter AS thread1, a.object AS waits1, b.waiter AS thread2, b.object AS waits2,
       NULL::ADDRESS AS thread3, NULL::ADDRESS AS waits3, NULL::ADDRESS AS thread4, NULL::ADDRESS AS waits4
FROM edges AS a
JOIN edges AS b ON b.waiter = a.owner AND b.owner = a.waiter
WHERE a.waiter < b.waiter
UNION ALL
SELECT a.waiter, a.object, b.waiter, b.object, c.waiter, c.object, NULL, NULL
FROM edges AS a
JOIN edges AS b ON b.waiter = a.owner
JOIN edges AS c ON c.waiter = b.owner AND c.owner = a.waiter
WHERE a.waiter < b.waiter AND a.waiter < c.waiter AND b.waiter <> c.waiter
UNION ALL
SELECT a.waiter, a.object, b.waiter, b.object, c.waiter, c.object, d.waiter, d.object
FROM edges AS a
JOIN edges AS b ON b.waiter = a.owner
JOIN edges AS c ON c.waiter = b.owner
JOIN edges AS d ON d.waiter = c.owner AND d.owner = a.waiter
WHERE a.waiter < b.waiter AND a.waiter < c.waiter AND a.waiter < d.waiter
  AND b.waiter <> c.waiter AND b.waiter <> d.waiter AND c.waiter <> d.waiter;
