-- title: Dispatch routines of others
-- description: Dispatch routines outside of their driver's image and of the kernel. Drivers that leave requests to a library of their class are left out.
-- debugger: !chkdrv
-- param: libraries VARCHAR = classpnp,storport,scsiport,ataport,ndis,usbport,usbhub,hidclass,ks,portcls,videoprt,dxgkrnl,wdf01000,fltmgr,watchdog,battc,stream,bthport,rdbss -- modules that serve other drivers
-- needs: driver_dispatch
SELECT driver, major_name, address, symbol, module_of(address) AS module
FROM driver_dispatch
WHERE is_outside_module
  AND NOT contains(',' || $libraries || ',', ',' || lower(coalesce(module_of(address), '?')) || ',')
ORDER BY driver, major;
