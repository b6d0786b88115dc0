-- title: Deadlocks
-- description: Cycles of up to four threads, each of which waits for what the next one holds: resources, mutexes, push locks, or the end of the thread itself. No row means that there is none.
-- debugger: !deadlock
-- pattern: Deadlock
-- severity: high
-- meaning: Threads wait for each other in a circle: none of them goes on, and everything that waits for one of them hangs too.
-- next: Look at both ends with !thread and the addresses of the threads; the order in which they take their locks is the defect.
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
