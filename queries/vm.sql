-- title: Virtual memory
-- description: The numbers of the memory manager with their limits, and how near to its limit each is.
-- debugger: !vm [0|1|2|3]
-- chart: bar x=name y=kilobytes
-- needs: vm
SELECT name, pages, bytes // 1024 AS kilobytes, limit_bytes // 1024 AS limit_kilobytes,
       round(100.0 * bytes / limit_bytes, 1) AS percent_of_limit, warning
FROM vm;
