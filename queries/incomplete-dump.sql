-- title: What is wrong with the file
-- description: Dumps that do not hold all that their headers promise.
-- pattern: Truncated Dump
-- severity: medium
-- meaning: The file is shorter than its headers say: values that lie in the missing part are absent, and counts are too small.
-- next: Copy the file once more, or look for the reason why it was not written whole: page file, disk, time.
-- needs: dump
SELECT dump, path, dump_type, file_bytes, physical_bytes, is_complete FROM dump WHERE NOT is_complete;
