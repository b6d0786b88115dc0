-- title: Open files
-- description: The files that processes have open, and how often. A file that one process has open hundreds of times is a handle leak.
-- debugger: !handle 0 * 0 File
-- chart: bar x=file y=handles
-- needs: handles
SELECT process, pid, name AS file, count(*) AS handles
FROM handles
WHERE type = 'File' AND name IS NOT NULL
GROUP BY process, pid, name
ORDER BY handles DESC, process, pid, file;
