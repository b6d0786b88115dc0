-- title: Stacks by their innermost frame
-- description: How many threads stand in the same function.
-- chart: bar x=symbol y=threads
-- needs: stacks
SELECT symbol, count(*) AS threads, min(process) AS a_process
FROM stacks
WHERE frame = 0
GROUP BY symbol
ORDER BY threads DESC, symbol;
