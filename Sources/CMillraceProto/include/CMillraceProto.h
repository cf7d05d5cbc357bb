// Umbrella of the generated protobuf-c headers.
#include "millrace/v1/cluster.pb-c.h"
