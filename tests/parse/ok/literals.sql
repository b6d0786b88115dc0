SELECT 1, 1_000_000, 1.5, .5, 5., 2e-3, 1.5E+10, 18446744073709551615;
SELECT 0x80478b00, 0XFF, fffff801`a972c530, 0xfffff801`a972c530, 0`80478b00, 1`00000000;
SELECT 'it''s', '', E'tab\t\x41\u00e9\'''', e'x';
SELECT TRUE, false, NULL;
SELECT TIMESTAMP '2024-05-01 12:00:00.5+02:00', timestamp '2024-05-01', DATE '2024-05-01', TIMESTAMP '2024-05-01T10:00Z';
SELECT INTERVAL '1 day 02:30', INTERVAL 5 MINUTE, INTERVAL '5' hours, INTERVAL -1.5 hours, INTERVAL '0 s';
SELECT 64KB, 10mb, 1.5GB, 2TiB, 5ms, 90s, 2h, 1.5min, 3d, 7us;
SELECT nt!KiIdleLoop, ntdll!RtlpFoo + 0x10, "my-driver"!"??0Foo@@QEAA@XZ", mod!Class::Method, win32k!?f@@YAXXZ;
SELECT $tag, $_x1;
