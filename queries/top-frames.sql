-- title: Stacks by their innermost frame
-- description: The number of threads whose innermost frame is in the same function.
-- chart: bar x=symbol y=threads
-- needs: stacks
SELECT symbol, count(*) AS threads, min(process) AS a_process
FROM stacks
WHERE frame = 0
GROUP BY symbol
ORDER BY threads DESC, symbol;
