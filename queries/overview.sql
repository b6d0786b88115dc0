-- title: Overview of the dump
-- description: System, time, uptime and completeness of each open dump, and the bug check or the exception if there was one.
-- debugger: vertarget, version, .time
-- dumps: together
-- needs: dump
-- optional: bugcheck, exception
WITH stops AS (
    SELECT dump, printf('0x%x ', code) || coalesce(name, '') AS stop FROM bugcheck
    UNION ALL
    SELECT dump, printf('0x%x ', code) || coalesce(name, '') FROM exception
),
first AS (SELECT dump, first(stop) AS stop FROM stops GROUP BY dump)
SELECT d.dump, d.dump_type, d.os, d.build, d.arch, d.processors, d.system_time,
       to_milliseconds(d.uptime_ms) AS uptime, d.is_complete, f.stop AS stopped_with
FROM dump AS d
LEFT JOIN first AS f ON f.dump = d.dump;
