document.querySelectorAll('table.rows').forEach(function (table) {
  var body = table.tBodies[0], rows = Array.prototype.slice.call(body.rows);
  function key(row, at) {
    var cell = row.cells[at], text = cell.textContent;
    if (cell.className === 'null') { return null; }
    if (cell.className === 'n') { return parseFloat(text.replace(/,/g, '')); }
    return text.toLowerCase();
  }
  Array.prototype.forEach.call(table.tHead.rows[0].cells, function (head, at) {
    head.tabIndex = 0;
    head.setAttribute('role', 'button');
    function sort() {
      var down = head.getAttribute('aria-sort') === 'ascending';
      Array.prototype.forEach.call(table.tHead.rows[0].cells, function (other) { other.removeAttribute('aria-sort'); });
      head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
      rows.map(function (row, n) { return [key(row, at), n, row]; }).sort(function (a, b) {
        var order = a[0] === null || b[0] === null
          ? (a[0] === null) - (b[0] === null)
          : (down ? -1 : 1) * (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0);
        return order || a[1] - b[1];
      }).forEach(function (entry) { body.appendChild(entry[2]); });
    }
    head.addEventListener('click', sort);
    head.addEventListener('keydown', function (event) { if (event.key === 'Enter') { sort(); } });
  });
  if (rows.length > 5) {
    var filter = document.createElement('input');
    filter.type = 'search';
    filter.placeholder = 'filter rows';
    filter.setAttribute('aria-label', 'filter rows');
    filter.addEventListener('input', function () {
      var wanted = filter.value.toLowerCase();
      rows.forEach(function (row) { row.hidden = row.textContent.toLowerCase().indexOf(wanted) < 0; });
    });
    table.parentNode.insertBefore(filter, table);
  }
});
document.querySelectorAll('details.sql').forEach(function (details) {
  var button = document.createElement('button');
  button.type = 'button';
  button.textContent = 'copy';
  button.addEventListener('click', function () {
    var text = details.querySelector('pre').textContent;
    if (navigator.clipboard) { navigator.clipboard.writeText(text); }
    else { getSelection().selectAllChildren(details.querySelector('pre')); }
    button.textContent = 'copied';
  });
  details.insertBefore(button, details.querySelector('pre'));
});
