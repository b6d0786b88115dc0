-- title: Pool of sessions
-- description: Paged pool and commit charge of each session, how close they are to the limit, and failed allocations.
-- debugger: !vm 4
-- needs: sessions
SELECT session, address, process_count, paged_pool_bytes // 1024 AS paged_pool_kilobytes,
       paged_pool_limit_bytes // 1024 AS limit_kilobytes,
       round(100.0 * paged_pool_bytes / paged_pool_limit_bytes, 1) AS percent_of_limit,
       commit_bytes // 1024 AS commit_kilobytes, pool_failures, view_failures,
       view_limit_bytes // 1024 AS view_limit_kilobytes
FROM sessions
ORDER BY session;
