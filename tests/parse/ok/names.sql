SELECT base, "end", end, offset, index, value, name, process, state, frame, count, start, type, image, list, symbol, first FROM modules;
SELECT timestamp, date, interval, position, format, comment, path, table, column, function FROM t;
SELECT m.offset, m.from, base end, base first FROM modules m;
SELECT öffnung, "Größe" FROM größen;
SELECT a FROM t AS end ORDER BY end;
SELECT left, right, full FROM t LEFT JOIN u ON t.left = u.right;
