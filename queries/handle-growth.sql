-- title: Processes whose handles grew
-- description: Over two or more dumps of one system: processes that have more handles in the last dump than in the first.
-- reading: Processes are told apart by their ids and names. A process whose handles grow from dump to dump leaks them.
-- chart: bar x=process y=grown_handles
-- dumps: together
-- needs: dump, processes
WITH times AS (
    SELECT dump, row_number() OVER (ORDER BY system_time, dump) AS nth, count(*) OVER () AS dumps FROM dump
),
ends AS (
    SELECT p.name AS process, p.pid,
           sum(CASE WHEN nth = 1 THEN handle_count ELSE 0 END) AS first_handles,
           sum(CASE WHEN nth = dumps THEN handle_count ELSE 0 END) AS last_handles, count(*) AS seen
    FROM processes AS p
    JOIN times ON times.dump = p.dump
    WHERE dumps > 1 AND (nth = 1 OR nth = dumps)
    GROUP BY p.name, p.pid
)
SELECT process, pid, first_handles, last_handles, last_handles - first_handles AS grown_handles
FROM ends
WHERE seen = 2 AND last_handles > first_handles
ORDER BY grown_handles DESC, process, pid;
