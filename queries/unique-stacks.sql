-- title: Stacks that threads share
-- description: The number of threads with the same stack, the function that they are blocked in, and the frames, innermost first.
-- debugger: !uniqstack [*]
-- chart: bar x=blocker y=threads
-- param: frames INTEGER = 8 -- number of frames to show
-- needs: threads, stacks
WITH alike AS (
    SELECT stack_id, count(*) AS threads, min(tid) AS tid, min(blocker) AS blocker
    FROM threads
    WHERE stack_id IS NOT NULL
    GROUP BY stack_id
),
calls AS (
    SELECT tid, string_agg(symbol, ' < ' ORDER BY frame) AS stack
    FROM stacks
    WHERE frame < $frames
    GROUP BY tid
)
SELECT a.threads, a.blocker, a.tid AS a_tid, c.stack
FROM alike AS a
JOIN calls AS c ON c.tid = a.tid
ORDER BY a.threads DESC, a.tid;
