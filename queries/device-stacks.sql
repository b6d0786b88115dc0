-- title: Device stacks
-- description: Devices that are attached to each other, from the top of each device stack to its bottom, in the order in which an IRP passes them.
-- param: driver VARCHAR = % -- show stacks that contain a driver of this name, as for LIKE
-- alias: !devstack
-- needs: devices
SELECT lowest_device_object, stack_depth, device_object, driver, name, instance_path, current_irp, queue_length
FROM devices
WHERE lowest_device_object IN (SELECT lowest_device_object FROM devices WHERE driver ILIKE $driver)
ORDER BY lowest_device_object, stack_depth DESC;
