-- title: Page files
-- description: Size, maximum size and free space of the page files.
-- needs: page_files
SELECT path, current_bytes // 1024 AS current_kilobytes, free_bytes // 1024 AS free_kilobytes,
       minimum_bytes // 1024 AS minimum_kilobytes, maximum_bytes // 1024 AS maximum_kilobytes
FROM page_files;
