-- title: Handles by type
-- description: Number of open handles of each type, the most frequent first. A handle leak is at the top.
-- debugger: !handle
-- chart: bar x=type y=handles series=process
-- needs: handles
SELECT process, type, count(*) AS handles, count(name) AS named, count(DISTINCT name) AS distinct_names
FROM handles
GROUP BY process, type
ORDER BY handles DESC, type;
