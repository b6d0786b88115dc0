-- title: Queued work items
-- description: The work items that system worker threads have not run yet, by queue and routine. A queue that is not processed is the cause of many hangs.
-- debugger: !exqueue [*]
-- needs: work_queues, work_items
-- optional: work_items
SELECT q.name AS queue, q.thread_count, q.current_count, q.maximum_count, i.routine_symbol, count(i.work_item) AS waiting
FROM work_queues AS q
LEFT JOIN work_items AS i ON i.queue_name = q.name AND (i.queue = q.queue OR q.queue IS NULL)
GROUP BY ALL
ORDER BY waiting DESC, queue, routine_symbol;
