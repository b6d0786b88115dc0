-- title: File system filters
-- description: Mini-filters by their altitude, the highest first: the order in which they see an IRP.
-- debugger: !filters, !fltkd.filters, !fltmc
-- needs: filters
SELECT filter, name, altitude, frame, is_instance, instance_name, volume_name
FROM filters
ORDER BY altitude DESC NULLS LAST, filter;
