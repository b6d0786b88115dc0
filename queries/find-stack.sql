-- title: Stacks with a call
-- description: Threads in whose stack a function or a module takes part, with the innermost such call.
-- debugger: !findstack $text [*], !mex.fst $text
-- param: text VARCHAR -- part of the symbol, in any case
-- needs: stacks
SELECT process, pid, tid, ethread, min(frame) AS frame, arg_min(symbol, frame) AS symbol
FROM stacks
WHERE contains(lower(symbol), lower($text))
GROUP BY process, pid, tid, ethread
ORDER BY process, tid;
