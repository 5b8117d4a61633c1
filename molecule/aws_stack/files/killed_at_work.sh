#!/bin/sh
# Runs a command and kills it, with all that it started, when CloudFormation is at work for it.
tree() {
  echo "$1"
  # shellcheck disable=SC2013 # one word a process
  for child in $(cat /proc/"$1"/task/*/children); do tree "$child"; done
}

log=$(mktemp)
"$@" > "$log" 2>&1 &
command=$!
until grep -q CREATE_IN_PROGRESS "$log"; do
  kill -0 "$command" || exit 1
  sleep 0.2
done
# shellcheck disable=SC2046 # one word a process
kill -KILL $(tree "$command")
cat "$log"
rm -f "$log"
exit 137
