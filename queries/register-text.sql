-- title: Text where pointers belong
-- description: Registers whose bytes are text. After a local buffer overflow the instruction
--   pointer, the frame pointer or the stack contains parts of a string.
-- pattern: Local Buffer Overflow
-- severity: high
-- meaning: Registers that should hold pointers hold text: a string was written over the frame that they were restored from.
-- next: Look at the raw stack around the stack pointer with dpa, and for the code that copies the text.
-- needs: registers
SELECT tid, name, value, coalesce(ascii, utf16) AS text,
       CASE WHEN ascii IS NOT NULL THEN 'ascii' ELSE 'utf16' END AS encoding
FROM registers
WHERE (ascii IS NOT NULL OR utf16 IS NOT NULL) AND NOT coalesce(is_in_module, false);
