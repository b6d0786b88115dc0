-- title: The dump as one number
-- description: A dump is a natural number of many hexadecimal digits: its first ones, how many there are, and how many dumps of this size there can be.
WITH first AS (
    SELECT dump, string_agg(upper(bytes), '' ORDER BY "offset") AS digits FROM file_bytes(0, 32) GROUP BY dump
)
SELECT d.dump,
       '0x' || f.digits || '...' AS first_digits,
       d.file_bytes * 2 AS hex_digits,
       '16^' || d.file_bytes * 2 AS possible_dumps
FROM dump AS d LEFT JOIN first AS f ON f.dump = d.dump;
