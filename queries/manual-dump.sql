-- title: Crash or hang
-- description: Whether the system crashed or somebody asked for the dump, by the bug check, and who called it.
-- alias: crash-or-hang
-- reading: A dump that was asked for says nothing about its bug check: look for what hung, with who-waits, high-contention and irp-distribution.
-- pattern: Manual Dump
-- severity: low
-- meaning: The dump was asked for, from the keyboard, by a tool or through a non-maskable interrupt: the bug check is no crash, and the question is what hung.
-- next: Run who-waits, wait-chains, high-contention, irp-distribution and running.
-- needs: bugcheck
SELECT dump, code, name,
       CASE
           WHEN code IN (0xe2, 0x2000000) THEN 'asked for: from the keyboard, through the debugger or by a tool'
           WHEN code = 0x161 THEN 'asked for: dump of the live system'
           WHEN code = 0xdeaddead THEN 'asked for: by a tool'
           WHEN code = 0x80 THEN 'perhaps asked for: non-maskable interrupt'
       END AS verdict,
       process, culprit_symbol, culprit_reason
FROM bugcheck
WHERE code IN (0xe2, 0x2000000, 0x161, 0xdeaddead, 0x80);
