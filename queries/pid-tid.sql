-- title: Process and thread IDs
-- description: Process and thread IDs of all threads, two numbers per row, for a scatter plot.
-- chart: scatter x=pid y=tid
-- reading: Points of one process stand above each other; a tall column is a process with many threads, and a point far from the others a thread made late.
-- needs: threads
SELECT pid, tid, process, state FROM threads WHERE pid IS NOT NULL ORDER BY pid, tid;
