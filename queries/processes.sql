-- title: Processes
-- description: Every process with its parent, session, threads, handles and memory.
-- alias: !process
-- alias: pslist
-- needs: processes
SELECT pid, ppid, name, eprocess, session, thread_count, handle_count, working_set_bytes, commit_bytes,
       create_time, exit_time, is_wow64
FROM processes
ORDER BY create_time NULLS FIRST, pid;
