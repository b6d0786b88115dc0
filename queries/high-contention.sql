-- title: Contended locks
-- description: Executive resources that many threads wait for, or had to wait for.
-- alias: !locks
-- param: waiters INTEGER = 1 -- minimum number of waiting threads
-- needs: locks
SELECT resource, symbol, state, owner_count, contention_count, shared_waiters, exclusive_waiters,
       coalesce(shared_waiters, 0) + coalesce(exclusive_waiters, 0) AS waiters
FROM locks
WHERE coalesce(shared_waiters, 0) + coalesce(exclusive_waiters, 0) >= $waiters
ORDER BY waiters DESC, contention_count DESC, resource;
