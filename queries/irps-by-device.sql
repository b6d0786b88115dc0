-- title: IRPs by device
-- description: IRPs that are not completed, by the device that has them, with the current IRP of the device.
-- debugger: !irpfind [-v] * * device [$device]
-- chart: bar x=name y=irps
-- alias: irp-devices
-- param: device ADDRESS = 0 -- the device; 0 for all
-- needs: irps, devices
SELECT i.device_object, d.name, i.driver, d.stack_depth, count(*) AS irps, count(DISTINCT i.ethread) AS threads,
       max(d.queue_length) AS queue_length
FROM irps AS i
LEFT JOIN devices AS d ON d.device_object = i.device_object
WHERE NOT coalesce(i.is_completed, false) AND ($device = 0x0 OR i.device_object = $device)
GROUP BY i.device_object, d.name, i.driver, d.stack_depth
ORDER BY irps DESC, i.device_object;
