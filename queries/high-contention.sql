-- title: Contended locks
-- description: Executive resources that many threads wait for, or had to wait for.
-- debugger: !locks [-v|-d], !kdext*.locks [-v|-d]
-- chart: bar x=resource y=waiters
-- reading: A resource with waiters is held by a thread that does not go on; look at its owner with who-waits.
-- pattern: High Contention
-- severity: medium
-- meaning: Threads wait for executive resources that others hold: what they do does not go on until the owners release them.
-- next: Run who-waits for the owners, and !thread with the address of an owner for what it waits for itself.
-- param: waiters INTEGER = 1 -- minimum number of waiting threads
-- needs: locks
SELECT resource, symbol, state, owner_count, contention_count, shared_waiters, exclusive_waiters,
       coalesce(shared_waiters, 0) + coalesce(exclusive_waiters, 0) AS waiters
FROM locks
WHERE coalesce(shared_waiters, 0) + coalesce(exclusive_waiters, 0) >= $waiters
ORDER BY waiters DESC, contention_count DESC, resource;
