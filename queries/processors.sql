-- title: Processors
-- description: The processors of the machine and what they spent their time on.
-- debugger: !cpuinfo, !sysinfo cpuinfo
-- chart: bar x=processor y=kernel_time_ms
-- needs: processors
SELECT processor, vendor, mhz, is_idle, irql, user_time_ms, kernel_time_ms, dpc_time_ms, interrupt_time_ms,
       dpc_count, interrupt_count, dpc_queue_depth
FROM processors
ORDER BY processor;
