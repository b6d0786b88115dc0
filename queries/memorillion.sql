-- title: The dump as one number
-- description: A dump is a natural number of many hexadecimal digits: its first ones, how many there are, and how many dumps of this size there can be.
SELECT d.dump,
       '0x' || (SELECT string_agg(upper(f.bytes), '' ORDER BY f."offset") FROM file_bytes(0, 32) AS f WHERE f.dump = d.dump) || '...' AS first_digits,
       d.file_bytes * 2 AS hex_digits,
       '16^' || d.file_bytes * 2 AS possible_dumps
FROM dump AS d;
