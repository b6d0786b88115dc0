-- title: Stacks of all threads
-- description: Every call of every thread, the innermost first.
-- debugger: ~*k|~*kv|~*kb|~*kn|~*kl|~*kp, ~*e k, !process 0 7|17|1f, !stacks 2
-- needs: stacks
SELECT process, pid, tid, ethread, frame, symbol, return_address, trust
FROM stacks
ORDER BY process, pid, tid, ethread, frame;
