-- title: Threads that did not move
-- description: Over two or more dumps of one system: threads that were never switched to between the first and the last.
-- reading: A thread that did not move between two dumps is stuck, or has nothing to do: look at what it waits for.
-- dumps: together
-- needs: dump, threads
WITH times AS (
    SELECT dump, row_number() OVER (ORDER BY system_time, dump) AS nth, count(*) OVER () AS dumps FROM dump
),
ends AS (
    SELECT t.ethread, t.tid, max(t.process) AS process, min(t.context_switches) AS least, max(t.context_switches) AS most,
           max(t.blocker) AS blocker, count(*) AS seen
    FROM threads AS t
    JOIN times ON times.dump = t.dump
    WHERE dumps > 1 AND (nth = 1 OR nth = dumps)
    GROUP BY t.ethread, t.tid
)
SELECT ethread, tid, process, least AS context_switches, blocker
FROM ends
WHERE seen = 2 AND least = most
ORDER BY process, tid, ethread;
