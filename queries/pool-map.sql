-- title: Map of the pool
-- description: The pages of the pool as a picture, 64 per row: . not used, O one page, < = > a run of pages; P { - } for pages that are paged out, ? if unknown.
-- debugger: !xpool -map
-- needs: pool_pages
WITH pages AS (
    SELECT pool_type, session, address, align_down(address, 0x40000) AS row_start, align_down(address, 0x10000) AS part,
           CASE state
               WHEN 'unused' THEN '.'
               WHEN 'one page' THEN if(is_paged_out, 'P', 'O')
               WHEN 'first' THEN if(is_paged_out, '{', '<')
               WHEN 'middle' THEN if(is_paged_out, '-', '=')
               WHEN 'last' THEN if(is_paged_out, '}', '>')
               ELSE '?'
           END AS mark
    FROM pool_pages
),
parts AS (
    SELECT pool_type, session, row_start, part,
           repeat(' ', (min(address) - part) // 0x1000) || string_agg(mark, '' ORDER BY address) AS marks
    FROM pages
    GROUP BY pool_type, session, row_start, part
)
SELECT pool_type, session, row_start AS address,
       repeat(' ', 17 * ((min(part) - row_start) // 0x10000)) || string_agg(marks, ' ' ORDER BY part) AS map
FROM parts
GROUP BY pool_type, session, row_start
ORDER BY pool_type, session NULLS FIRST, row_start;
