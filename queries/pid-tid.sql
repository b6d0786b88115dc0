-- title: Process and thread IDs
-- description: Process and thread IDs of all threads, two numbers per row, for a scatter plot.
-- needs: threads
SELECT pid, tid, process, state FROM threads WHERE pid IS NOT NULL ORDER BY pid, tid;
