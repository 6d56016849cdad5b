#!/usr/bin/env bash
# stage.sh NAME COMMAND...: runs the command and prints how long it took.
set -u
name=$1
shift
start=$(date +%s)
"$@"
status=$?
echo "stage $name: $(($(date +%s) - start)) s"
exit $status
