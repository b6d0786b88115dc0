-- title: Critical sections
-- description: Critical sections that are taken, with their owners, the most contended first.
-- debugger: !cs [-l|-s], !ntsdexts.locks
-- needs: critical_sections
SELECT address, symbol, owner_tid, lock_count, recursion_count, entry_count, contention_count, is_locked
FROM critical_sections
WHERE coalesce(is_locked, true)
ORDER BY contention_count DESC NULLS LAST, address;
