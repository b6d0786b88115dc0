-- title: Running threads
-- description: What runs on each processor, what is to run next, and which processors are idle: a busy system has no idle processor.
-- debugger: !running [-t|-i|-it|-ti], !pcr [*], !prcb [*]
-- reading: The masks have a bit for each processor, the lowest for processor 0 (processors beyond 62 have none): equal masks are an idle system, an idle mask of 0x0 a busy one.
-- needs: processors
SELECT processor, prcb, current_ethread, current_process, next_ethread, idle_ethread, is_idle, irql, queued_locks,
       '0x' || lower(to_hex(sum(if(processor < 63, pow(2, processor)::BIGINT, 0)) OVER (PARTITION BY dump))) AS processor_mask,
       '0x' || lower(to_hex(sum(if(is_idle AND processor < 63, pow(2, processor)::BIGINT, 0)) OVER (PARTITION BY dump))) AS idle_mask
FROM processors
ORDER BY processor;
