-- title: Page files
-- description: How large the page files are and may become, and what is free in them.
-- needs: page_files
SELECT path, current_bytes // 1024 AS current_kilobytes, free_bytes // 1024 AS free_kilobytes,
       minimum_bytes // 1024 AS minimum_kilobytes, maximum_bytes // 1024 AS maximum_kilobytes
FROM page_files;
