-- title: Virtual memory
-- description: The counters of the memory manager with their limits, and how close each is to its limit.
-- alias: !vm
-- needs: vm
SELECT name, pages, bytes // 1024 AS kilobytes, limit_bytes // 1024 AS limit_kilobytes,
       round(100.0 * bytes / limit_bytes, 1) AS percent_of_limit, warning
FROM vm;
