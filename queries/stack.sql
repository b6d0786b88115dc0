-- title: The stack of a thread
-- description: The frames of a thread, innermost first, with how each was found.
-- debugger: k|kb|kn|kv|kp|kf|kc|kl [$frames], ~~[$tid]k, ~~[$tid]kv, ~~[$tid]kn
-- param: tid INTEGER = 0 -- thread ID; 0 for the thread of the exception or of the crash
-- param: frames INTEGER = 0 -- how many calls; 0 for all
-- needs: stacks
-- optional: exception, bugcheck
SELECT s.tid, s.frame, s.sp, s.return_address, s.symbol, s.offset, s.trust, s.source_file, s.line
FROM stacks AS s
WHERE ($frames = 0 OR s.frame < $frames)
  AND ($tid <> 0 AND s.tid = $tid
   OR $tid = 0 AND ((s.dump, s.tid) IN (SELECT dump, tid FROM exception)
                 OR (s.dump, s.ethread) IN (SELECT dump, ethread FROM bugcheck)
                 -- What `k` printed in a log is of no known thread.
                 OR s.tid IS NULL AND s.ethread IS NULL))
ORDER BY s.tid, s.log_line, s.frame;
