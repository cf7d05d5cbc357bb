// Umbrella of the generated protobuf-c headers.
