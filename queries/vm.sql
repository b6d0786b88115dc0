-- title: Virtual memory
-- description: The numbers of the memory manager with their limits, how near to its limit each is, and how many allocations of pool have failed.
-- debugger: !vm [0|1|2|3]
-- chart: bar x=name y=kilobytes
-- reading: A warning says what is near its limit. Allocations that failed are the proof that memory was short at some time since boot.
-- needs: vm
-- optional: pool_failures
SELECT name, pages, bytes // 1024 AS kilobytes, limit_bytes // 1024 AS limit_kilobytes,
       round(100.0 * bytes / limit_bytes, 1) AS percent_of_limit, warning
FROM vm
UNION ALL
SELECT CASE WHEN session IS NULL THEN 'Failed allocations' ELSE 'Failed allocations, session ' || session END,
       NULL, NULL, NULL, NULL, count || ' pool allocations have failed'
FROM pool_failures
WHERE count > 0;
