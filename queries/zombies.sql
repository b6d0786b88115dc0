-- title: Processes that ended and are still there
-- description: Processes that have ended and whose objects something still holds.
-- pattern: Zombie Processes
-- severity: low
-- meaning: Processes have ended and are still there, as somebody has a handle to them or a reference on them; hundreds of them eat pool and ids.
-- next: Run handles-to with the name of the process for who has it open.
-- needs: processes
SELECT name AS process, pid, eprocess, exit_time, handle_count, thread_count
FROM processes
WHERE exit_time IS NOT NULL
ORDER BY exit_time;
