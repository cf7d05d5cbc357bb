#!/usr/bin/env bash
# One real Kafka broker (KRaft) on loopback from any Kafka distribution, for the demo and the tests.
#
#   KAFKA_HOME=... deploy/kafka.sh up DIR PORT     format, start, wait until it answers; prints bootstrap=HOST:PORT
#   deploy/kafka.sh kill DIR                       SIGKILL
#   KAFKA_HOME=... deploy/kafka.sh start DIR       start again with the same data, wait until it answers
#   deploy/kafka.sh down DIR                       stop and delete DIR
#
# PORT and PORT + 1 must be free. Topics are made on first use, with 4 partitions.
set -euo pipefail
die() { echo "kafka.sh: $*" >&2; exit 2; }
[ $# -ge 2 ] || die "usage: kafka.sh up DIR PORT | kill DIR | start DIR | down DIR"
verb=$1 dir=$2

run_java() { # heap, then the class and its arguments
  local heap=$1; shift
  java -Xms"$heap" -Xmx"$heap" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$KAFKA_HOME/libs/*" "$@"
}

need_kafka() {
  [ -n "${KAFKA_HOME:-}" ] || die "KAFKA_HOME is not set; it names the folder of a Kafka distribution"
  compgen -G "$KAFKA_HOME/libs/kafka_*.jar" >/dev/null || die "KAFKA_HOME=$KAFKA_HOME has no libs/kafka_*.jar"
  command -v java >/dev/null || die "no java on the PATH; install openjdk-17-jre-headless"
}

start_broker() {
  # The broker outlives its caller, so it keeps none of the caller's files: who waits for their end would wait for it.
  (
    for file in /proc/"$BASHPID"/fd/*; do
      number=${file##*/}
      [ "$number" -le 2 ] || eval "exec $number>&-"
    done
    exec setsid java -Xms256m -Xmx512m -XX:+UseSerialGC -cp "$KAFKA_HOME/libs/*" kafka.Kafka "$dir/server.properties"
  ) >>"$dir/broker.log" 2>&1 </dev/null &
  echo $! >"$dir/broker.pid"
  local bootstrap deadline=$((SECONDS + 60))
  bootstrap=$(cat "$dir/bootstrap")
  until run_java 64m org.apache.kafka.tools.BrokerApiVersionsCommand --bootstrap-server "$bootstrap" 2>/dev/null |
    grep -q ' (id: '; do
    kill -0 "$(cat "$dir/broker.pid")" 2>/dev/null || { tail -n 20 "$dir/broker.log" >&2; die "the broker ended"; }
    [ $SECONDS -lt $deadline ] || { tail -n 20 "$dir/broker.log" >&2; die "the broker does not answer after 60 s"; }
  done
  echo "bootstrap=$bootstrap"
}

case $verb in
  up)
    [ $# -eq 3 ] || die "up needs DIR and PORT"
    need_kafka
    port=$3
    mkdir -p "$dir"
    dir=$(cd "$dir" && pwd)
    echo "127.0.0.1:$port" >"$dir/bootstrap"
    cat >"$dir/server.properties" <<CONF
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$((port + 1))
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$((port + 1))
advertised.listeners=PLAINTEXT://127.0.0.1:$port
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs=$dir/data
num.partitions=4
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
CONF
    run_java 128m kafka.tools.StorageTool format -t bWlsbHJhY2UtZGVtby1pZA -c "$dir/server.properties" \
      >"$dir/format.log" 2>&1 || { cat "$dir/format.log" >&2; die "cannot format the storage"; }
    start_broker ;;
  kill) kill -KILL "$(cat "$dir/broker.pid")" ;;
  start) need_kafka; start_broker ;;
  down)
    if [ -f "$dir/broker.pid" ]; then
      pid=$(cat "$dir/broker.pid")
      kill -TERM "$pid" 2>/dev/null || true
      for _ in $(seq 50); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
      kill -KILL "$pid" 2>/dev/null || true
    fi
    rm -rf "$dir" ;;
  *) die "unknown verb $verb" ;;
esac
