-- title: Stacks of devices
-- description: Devices that are attached to each other, from the top of each stack to its bottom; requests go down through them.
-- param: driver VARCHAR = % -- stacks in which a driver of this name takes part, as for LIKE
-- alias: !devstack
-- needs: devices
SELECT lowest_device_object, stack_depth, device_object, driver, name, instance_path, current_irp, queue_length
FROM devices
WHERE lowest_device_object IN (SELECT lowest_device_object FROM devices WHERE driver ILIKE $driver)
ORDER BY lowest_device_object, stack_depth DESC;
