// Generated protobuf-c code lies beside this file; see deploy/regenerate-proto.sh.
