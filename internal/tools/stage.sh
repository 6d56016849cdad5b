#!/usr/bin/env bash
# stage.sh NAME COMMAND...: runs the command and prints how many seconds it took. The stage "total" ends with a table of the
# stages that ran within it.
set -u
name=$1
shift
table=.tmp/stages.txt
mkdir -p .tmp
[ "$name" != total ] || : >"$table"
start=$(date +%s)
"$@"
status=$?
seconds=$(($(date +%s) - start))
result=
[ "$status" -eq 0 ] || result=failed
printf '%-14s %6d s %s\n' "$name" "$seconds" "$result" >>"$table"
if [ "$name" = total ]; then
  printf '\n%-14s %8s\n' stage time
  cat "$table"
else
  echo "stage $name: $seconds s"
fi
exit "$status"
