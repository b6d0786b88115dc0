-- title: Processes with very many handles
-- description: Processes that hold more handles than a program should.
-- chart: bar x=process y=handles
-- pattern: Handle Leak
-- severity: medium
-- meaning: A process holds very many handles; what opens them does not close them, and the pool behind them grows.
-- next: Run handle-types for the types, and open-files or handles-to for what they lead to.
-- param: least INTEGER = 10000 -- how many handles are many
-- needs: processes
SELECT name AS process, pid, eprocess, handle_count AS handles, thread_count AS threads
FROM processes
WHERE handle_count >= $least
ORDER BY handle_count DESC;
