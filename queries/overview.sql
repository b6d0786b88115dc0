-- title: Overview of the dump
-- description: What each open dump is: system, time, uptime, how complete the file is, and the bug
--   check if there was one.
-- alias: vertarget
SELECT d.dump, d.dump_type, d.os, d.build, d.arch, d.processors, d.system_time,
       to_milliseconds(d.uptime_ms) AS uptime, d.is_complete
FROM dump AS d;
