-- title: Device stacks
-- description: Devices that are attached to each other, from the top of each device stack to its bottom, in the order in which an IRP passes them.
-- debugger: !devstack [$device], !devnode [*] [*]
-- param: driver VARCHAR = % -- show stacks that contain a driver of this name, as for LIKE
-- param: device ADDRESS = 0 -- a device in the stack; 0 for all
-- needs: devices
SELECT lowest_device_object, stack_depth, device_object, driver, name, instance_path, current_irp, queue_length
FROM devices
WHERE lowest_device_object IN (SELECT lowest_device_object FROM devices WHERE driver ILIKE $driver AND ($device = 0x0 OR device_object = $device))
ORDER BY lowest_device_object, stack_depth DESC;
