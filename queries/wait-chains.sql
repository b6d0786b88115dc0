-- title: Deadlocks
-- description: Cycles of threads, each of which waits for something that the next one holds: a resource, a mutex, a push lock, or the end of the thread itself. One row for each cycle, of any length, starting with the thread of the lowest address; of several cycles through one thread the shortest. If there is no row, there is no deadlock.
-- debugger: !deadlock
-- pattern: Deadlock
-- severity: high
-- meaning: Threads wait for each other in a circle: none of them goes on, and everything that waits for one of them hangs too.
-- next: Look at both ends with !thread and the addresses of the threads; the order in which they take their locks is the defect.
-- needs: lock_owners, lock_waiters, wait_objects
WITH RECURSIVE edges AS (
    SELECT w.ethread AS waiter, o.ethread AS owner, w.resource AS object
    FROM lock_waiters AS w
    JOIN lock_owners AS o ON o.resource = w.resource AND o.ethread <> w.ethread
    UNION
    SELECT ethread, coalesce(owner_ethread, object), coalesce(lock, object)
    FROM wait_objects
    WHERE owner_ethread <> ethread OR type = 'Thread' AND object <> ethread
),
reached AS (
    SELECT waiter, owner FROM edges
    UNION
    SELECT r.waiter, e.owner FROM reached AS r JOIN edges AS e ON e.waiter = r.owner
),
-- What is part of a cycle: from its end a way leads back to its start.
links AS (
    SELECT e.waiter, e.owner, min(e.object) AS object
    FROM edges AS e
    SEMI JOIN reached AS r ON r.waiter = e.owner AND r.owner = e.waiter
    GROUP BY e.waiter, e.owner
),
chains AS (
    SELECT waiter AS thread, owner AS next, 1 AS threads,
           waiter || ' waits for ' || object AS cycle
    FROM links
    UNION ALL
    SELECT DISTINCT ON (c.thread, l.owner) c.thread, l.owner, c.threads + 1,
           c.cycle || ', held by ' || l.waiter || ', which waits for ' || l.object
    FROM chains AS c
    JOIN links AS l ON l.waiter = c.next
    WHERE c.next > c.thread AND NOT contains(c.cycle, l.waiter || ',')
)
SELECT thread, threads, cycle || ', held by ' || thread AS cycle
FROM chains
WHERE next = thread
QUALIFY row_number() OVER (PARTITION BY thread ORDER BY threads) = 1
ORDER BY thread;
