-- title: What the system stopped for
-- description: The bug check, its parameters with their meaning, and the place.
-- alias: .bugcheck
-- alias: !analyze
-- needs: bugcheck
SELECT 'code' AS item, '0x' || lower(to_hex(code)) AS value, name AS meaning FROM bugcheck
UNION ALL SELECT 'parameter 1', p1::VARCHAR, p1_description FROM bugcheck
UNION ALL SELECT 'parameter 2', p2::VARCHAR, p2_description FROM bugcheck
UNION ALL SELECT 'parameter 3', p3::VARCHAR, p3_description FROM bugcheck
UNION ALL SELECT 'parameter 4', p4::VARCHAR, p4_description FROM bugcheck
UNION ALL SELECT 'process', process, NULL FROM bugcheck
UNION ALL SELECT 'module', module, NULL FROM bugcheck
UNION ALL SELECT 'symbol', symbol, NULL FROM bugcheck
UNION ALL SELECT 'bucket', bucket_id, NULL FROM bugcheck;
