-- title: Processes
-- description: Every process with its parent, session, threads, handles and memory.
-- debugger: !process [0] [0|1|2|3], !process 0 0|1|2|3 $name, !process $process [*], .tlist [*], tasklist
-- chart: bar x=name y=working_set_bytes
-- alias: pslist
-- param: name VARCHAR = % -- names to list; % or * stands for any text
-- param: process ADDRESS = 0 -- address of the process object, or its id; 0 for all
-- needs: processes
SELECT pid, ppid, name, eprocess, session, thread_count, handle_count, working_set_bytes, commit_bytes,
       create_time, exit_time, is_wow64
FROM processes
WHERE coalesce(name, '') ILIKE replace($name, '*', '%')
  AND ($process = 0x0 OR eprocess = $process OR pid::ADDRESS = $process)
ORDER BY create_time NULLS FIRST, pid;
