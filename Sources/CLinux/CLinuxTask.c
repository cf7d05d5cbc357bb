#include "CLinuxTask.h"

clinux_accumulator clinux_no_accumulators[1] = {{-1, 0}};
_Thread_local clinux_task clinux_task_here = {0, clinux_no_accumulators, 0};
