-- title: Allocations of pool that failed
-- description: Which pools could not give what was asked for, how often, and what is said of the pools themselves.
-- pattern: Insufficient Memory (failed allocations)
-- severity: high
-- meaning: Allocations of pool have failed since boot: drivers were refused memory.
-- next: Run poolused-nonpaged and poolused-paged for the tags that fill the pool, and vm for the limits.
-- needs: pool_failures, vm
SELECT pool, session, count, NULL::VARCHAR AS warning FROM pool_failures
UNION ALL
SELECT name, NULL, NULL, warning FROM vm WHERE warning IS NOT NULL
ORDER BY count DESC NULLS LAST, pool;
