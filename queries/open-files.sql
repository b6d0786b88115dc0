-- title: Open files
-- description: The files that processes have open, and how often; a file that is open hundreds of times in one process is a leak of handles.
-- debugger: !handle 0 * 0 File
-- chart: bar x=file y=handles
-- needs: handles
SELECT process, pid, name AS file, count(*) AS handles
FROM handles
WHERE type = 'File' AND name IS NOT NULL
GROUP BY process, pid, name
ORDER BY handles DESC, process, pid, file;
