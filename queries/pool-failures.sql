-- title: Failed pool allocations
-- description: The number of failed allocations of each pool, with the pool's usage and limit.
-- pattern: Insufficient Memory (failed allocations)
-- severity: high
-- meaning: Allocations of pool have failed since boot: drivers were refused memory.
-- next: Run poolused-nonpaged and poolused-paged for the tags that fill the pool, and vm for the limits.
-- needs: pool_failures, vm
SELECT pool, session, count, NULL::VARCHAR AS warning FROM pool_failures
UNION ALL
SELECT name, NULL, NULL, warning FROM vm WHERE warning IS NOT NULL
ORDER BY count DESC NULLS LAST, pool;
