# inputs.sh: functions that read inputs; the other scripts source it.
# shellcheck shell=bash

# read_lines TEXT sets the array lines to the lines of a text that are not empty, without the white space
# around them.
read_lines() {
  local line
  lines=()
  while IFS= read -r line || [ -n "$line" ]; do
    line=${line#"${line%%[![:space:]]*}"}
    line=${line%"${line##*[![:space:]]}"}
    [ -z "$line" ] || lines+=("$line")
  done <<<"$1"
}

# add_flags FLAG TEXT adds the flag to the array arguments once for each line of a text, as its value.
add_flags() {
  local line lines
  read_lines "$2"
  for line in ${lines[@]+"${lines[@]}"}; do
    arguments+=("$1" "$line")
  done
}

# fail MESSAGE ends the script with an annotation. Messages contain no input, since a line of an input
# could be a command to the runner.
fail() {
  echo "::error title=corsrpc::$1"
  exit 2
}
