-- title: What is missing and why
-- description: Tables and columns with absent values, by reason, and the defects of the file.
-- needs: problems
SELECT "table", reason, count(*) AS columns, max(count) AS rows, string_agg("column", ', ' ORDER BY "column") AS names
FROM problems
GROUP BY "table", reason
ORDER BY "table", reason;
