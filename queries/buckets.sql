-- title: Equal crashes over many dumps
-- description: Dumps by bucket, the most frequent first: bug checks of kernel dumps, and exceptions of programs by code and location. Intended for a folder of dumps.
-- chart: bar x=bucket_id y=dumps
-- dumps: together
-- needs: bugcheck, exception
-- optional: bugcheck, exception
WITH crashes AS (
    SELECT dump, bucket_id, name, module FROM bugcheck
    UNION ALL
    SELECT dump, printf('0x%x_%s', code, coalesce(culprit_symbol, symbol, 'no module')), name, coalesce(culprit_module, module_of(address, dump))
    FROM exception
    WHERE dump NOT IN (SELECT dump FROM bugcheck)
)
SELECT bucket_id, count(*) AS dumps, min(name) AS name, min(module) AS module, min(dump) AS example
FROM crashes
GROUP BY bucket_id
ORDER BY dumps DESC, bucket_id;
