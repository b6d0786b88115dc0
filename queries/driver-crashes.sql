-- title: Crashes by driver and version
-- description: Over many dumps: how often each version of each driver is to blame, in how many dumps it is loaded, and when it was first and last seen to crash.
-- reading: A version whose rate is far above those of its other versions is the one to replace.
-- chart: bar x=driver y=crashes
-- dumps: together
-- needs: dump, bugcheck, modules
WITH crashes AS (
    SELECT b.dump, lower(coalesce(b.culprit_module, b.module)) AS driver, d.system_time
    FROM bugcheck AS b
    LEFT JOIN dump AS d ON d.dump = b.dump
),
loaded AS (
    SELECT lower(name) AS driver, dump, max(coalesce(file_version, '0x' || to_hex(timestamp))) AS version
    FROM modules
    GROUP BY lower(name), dump
),
seen AS (SELECT driver, version, count(*) AS dumps FROM loaded GROUP BY driver, version)
SELECT c.driver, l.version, count(*) AS crashes, max(s.dumps) AS dumps_with_it,
       round(100.0 * count(*) / max(s.dumps), 1) AS percent, min(c.system_time) AS first_seen, max(c.system_time) AS last_seen
FROM crashes AS c
LEFT JOIN loaded AS l ON l.driver = c.driver AND l.dump = c.dump
LEFT JOIN seen AS s ON s.driver = c.driver AND s.version = l.version
WHERE c.driver IS NOT NULL
GROUP BY c.driver, l.version
ORDER BY crashes DESC, c.driver, l.version;
