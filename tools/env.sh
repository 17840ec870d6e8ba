# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Read by the scripts beside it, with the top of the tree as the working directory.

export CONTAINERS_CONF=$PWD/tools/containers.conf
export PATH=$PWD/.venv/bin:$PATH
export PYTHONDONTWRITEBYTECODE=1
export ANSIBLE_COLLECTIONS_PATH=$PWD/build/installed
export ANSIBLE_HOME=$PWD/.cache/ansible

say() { printf '\033[1m== %s\033[0m\n' "$*" >&2; }
fail() { printf '%s\n' "$*" >&2; exit 1; }
