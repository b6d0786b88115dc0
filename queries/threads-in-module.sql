-- title: Threads in a module
-- description: Threads whose stack contains a frame of a module, with the innermost such frame.
-- debugger: !stacks 2 $module
-- param: module VARCHAR = nt -- name of the module
-- needs: stacks
SELECT process, pid, tid, ethread, min(frame) AS frame, arg_min(symbol, frame) AS symbol
FROM stacks
WHERE lower(module) = lower($module)
GROUP BY process, pid, tid, ethread
ORDER BY process, tid;
