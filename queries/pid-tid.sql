-- title: Threads over processes
-- description: Process and thread ids of all threads, two numbers a row: the scatter of a busy system.
-- needs: threads
SELECT pid, tid, process, state FROM threads WHERE pid IS NOT NULL ORDER BY pid, tid;
