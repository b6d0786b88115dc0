-- title: Sessions
-- description: The sessions with their processes and the free part of their pool. A session whose pool is exhausted cannot open windows.
-- debugger: !session [-s] [*]
-- needs: sessions
SELECT session, process_count, paged_pool_bytes, paged_pool_limit_bytes,
    round(100.0 * paged_pool_bytes / paged_pool_limit_bytes, 1) AS used_percent, commit_bytes, pool_failures, view_failures
FROM sessions
ORDER BY session;
