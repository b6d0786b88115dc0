-- title: Overview of the dump
-- description: System, time, uptime and completeness of each open dump, and its bug check if there
--   is one.
-- alias: vertarget
SELECT d.dump, d.dump_type, d.os, d.build, d.arch, d.processors, d.system_time,
       to_milliseconds(d.uptime_ms) AS uptime, d.is_complete
FROM dump AS d;
