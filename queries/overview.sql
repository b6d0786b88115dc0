-- title: Overview of the dump
-- description: What each open dump is: system, time, uptime, how complete the file is, and the bug
--   check or the exception if there was one.
-- debugger: vertarget, version, .time
-- needs: dump
-- optional: bugcheck, exception
SELECT d.dump, d.dump_type, d.os, d.build, d.arch, d.processors, d.system_time,
       to_milliseconds(d.uptime_ms) AS uptime, d.is_complete,
       coalesce((SELECT max(printf('0x%x ', b.code) || coalesce(b.name, '')) FROM bugcheck AS b WHERE b.dump = d.dump),
                (SELECT max(printf('0x%x ', e.code) || coalesce(e.name, '')) FROM exception AS e WHERE e.dump = d.dump)) AS stopped_with
FROM dump AS d;
