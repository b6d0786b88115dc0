-- title: Swarms of threads
-- description: Places where very many threads of one process started: a pool of threads that grew without bound.
-- pattern: Swarm of Threads
-- severity: medium
-- meaning: Very many threads of one process started at the same place: work comes in faster than it is done, mostly as each thread waits for the same thing.
-- next: Run unique-stacks for what they wait in, and who-waits for whom.
-- chart: bar x=started_at y=threads
-- param: least INTEGER = 200 -- how many threads are many
-- needs: threads
SELECT process, pid, coalesce(win32_start_symbol, start_symbol, '(unknown)') AS started_at, count(*) AS threads,
       min(create_time) AS first, max(create_time) AS last
FROM threads
WHERE coalesce(pid, 0) <> 4
GROUP BY process, pid, started_at
HAVING count(*) >= $least
ORDER BY threads DESC, process, started_at;
