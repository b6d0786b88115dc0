-- title: Bug check or exception
-- description: The bug check of a system or the exception of a program, its parameters with their meaning, and the location.
-- debugger: .bugcheck, .lastevent, !analyze [-v|-hang|-show]
-- needs: bugcheck, exception
-- optional: bugcheck, exception
WITH raised AS (
    SELECT code, name, description, address, symbol, tid, module_of(address, dump) AS module
    FROM exception
    WHERE dump NOT IN (SELECT dump FROM bugcheck)
)
SELECT 'code' AS item, '0x' || lower(to_hex(code)) AS value, name AS meaning FROM bugcheck
UNION ALL SELECT 'parameter 1', p1::VARCHAR, p1_description FROM bugcheck
UNION ALL SELECT 'parameter 2', p2::VARCHAR, p2_description FROM bugcheck
UNION ALL SELECT 'parameter 3', p3::VARCHAR, p3_description FROM bugcheck
UNION ALL SELECT 'parameter 4', p4::VARCHAR, p4_description FROM bugcheck
UNION ALL SELECT 'process', process, NULL FROM bugcheck
UNION ALL SELECT 'module', module, NULL FROM bugcheck
UNION ALL SELECT 'symbol', symbol, NULL FROM bugcheck
UNION ALL SELECT 'culprit', culprit_symbol, culprit_reason FROM bugcheck WHERE culprit_symbol IS NOT NULL
UNION ALL SELECT 'bucket', bucket_id, NULL FROM bugcheck
UNION ALL SELECT 'exception', '0x' || lower(to_hex(code)), name FROM raised
UNION ALL SELECT 'address', address::VARCHAR, description FROM raised
UNION ALL SELECT 'thread', tid::VARCHAR, NULL FROM raised
UNION ALL SELECT 'module', module, NULL FROM raised
UNION ALL SELECT 'symbol', symbol, NULL FROM raised
UNION ALL SELECT 'bucket', printf('0x%x_%s', code, coalesce(symbol, 'no module')), NULL FROM raised;
