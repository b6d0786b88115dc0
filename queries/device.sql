-- title: One device
-- description: What a device is, its driver, and what it works on.
-- debugger: !devobj $device
-- param: device ADDRESS -- address of the device object
-- needs: devices
SELECT * FROM devices WHERE device_object = $device;
