-- title: What happened, whose it is, and what to look at next
-- description: The bug check of a system or the exception of a program: what happened, the module that is to blame and why, how sure
--   that is, what to run next, then the parameters with their meaning.
-- reading: The suspect comes from the parameters, the trap frame and the stack; a score below 50 is a hint and no finding. All
--   suspects are in the table suspects.
-- debugger: .bugcheck, .lastevent, !analyze [-v|-hang|-show]
-- needs: bugcheck, exception
-- optional: bugcheck, exception, suspects
WITH forced(code) AS (VALUES (0xe2), (0x161), (0x1c8), (0xdeaddead)),
raised AS (
    SELECT code, name, description, address, symbol, tid, culprit_module, culprit_symbol, culprit_reason,
           module_of(address, dump) AS module
    FROM exception
    WHERE dump NOT IN (SELECT dump FROM bugcheck)
),
stopped AS (
    SELECT code, name, NULL AS description, coalesce(culprit_module, module) AS culprit_module,
           coalesce(culprit_symbol, symbol) AS culprit_symbol, culprit_reason
    FROM bugcheck
    UNION ALL
    SELECT code, name, description, culprit_module, culprit_symbol, culprit_reason FROM raised
),
others AS (SELECT string_agg(symbol, ', ' ORDER BY rank) AS names FROM suspects WHERE rank BETWEEN 2 AND 4)
SELECT 'what happened' AS item, printf('%s (0x%x)', coalesce(name, 'unknown code'), code) AS value,
    CASE WHEN code IN (FROM forced) THEN 'the dump was forced: the system did not crash by itself' ELSE description END AS meaning
    FROM stopped
UNION ALL SELECT 'whose', coalesce(culprit_symbol, culprit_module), culprit_reason
    FROM stopped WHERE culprit_module IS NOT NULL AND code NOT IN (FROM forced)
UNION ALL SELECT 'how sure', CASE WHEN s.score >= 80 THEN 'very likely' WHEN s.score >= 50 THEN 'likely' ELSE 'a hint' END,
    printf('%d of 100', s.score) || coalesce('; other suspects: ' || o.names, '')
    FROM suspects AS s, others AS o, stopped WHERE s.rank = 1 AND code NOT IN (FROM forced)
UNION ALL SELECT 'look next at', CASE
        WHEN code IN (FROM forced) THEN 'manual-dump, running, high-contention, wait-chains, irp-distribution'
        WHEN culprit_module = 'hardware' THEN 'error_records'
        WHEN culprit_module IS NULL THEN 'stack, registers'
        ELSE 'stack, lmv (pattern = ' || culprit_module || '), suspects' END,
    'saved queries and tables' FROM stopped
UNION ALL SELECT 'parameter 1', p1::VARCHAR, p1_description FROM bugcheck
UNION ALL SELECT 'parameter 2', p2::VARCHAR, p2_description FROM bugcheck
UNION ALL SELECT 'parameter 3', p3::VARCHAR, p3_description FROM bugcheck
UNION ALL SELECT 'parameter 4', p4::VARCHAR, p4_description FROM bugcheck
UNION ALL SELECT 'process', process, NULL FROM bugcheck WHERE process IS NOT NULL
UNION ALL SELECT 'bucket', bucket_id, NULL FROM bugcheck WHERE bucket_id IS NOT NULL
UNION ALL SELECT 'address', address::VARCHAR, symbol FROM raised
UNION ALL SELECT 'thread', tid::VARCHAR, NULL FROM raised
UNION ALL SELECT 'module', module, NULL FROM raised
UNION ALL SELECT 'bucket', printf('0x%x_%s', code, coalesce(culprit_symbol, symbol, 'no module')), NULL FROM raised;
