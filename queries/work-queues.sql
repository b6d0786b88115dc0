-- title: Work that waits
-- description: What the system's worker threads have still to do, by queue and routine; a queue that nobody empties stands behind many hangs.
-- debugger: !exqueue [*]
-- needs: work_queues, work_items
-- optional: work_items
SELECT q.name AS queue, q.thread_count, q.current_count, q.maximum_count, i.routine_symbol, count(i.work_item) AS waiting
FROM work_queues AS q
LEFT JOIN work_items AS i ON i.queue_name = q.name AND (i.queue = q.queue OR q.queue IS NULL)
GROUP BY ALL
ORDER BY waiting DESC, queue, routine_symbol;
