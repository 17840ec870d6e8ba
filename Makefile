# linuxha.vrrp: what a person or CI runs. The work is in tools/; each target says what it does in `make help`.

KEEP ?=
CHECK := .venv/bin/python tools/check.py
SUITES := bullseye bookworm trixie

.DEFAULT_GOAL := help

.PHONY: help
help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: bootstrap
bootstrap:  ## install missing Debian packages and the pinned virtual environment
	@tools/bootstrap

.PHONY: demo
demo: build  ## two nodes and a client: roll out, kill the active node, show what the client saw (KEEP=1)
	@tools/image bookworm >/dev/null
	@. tools/env.sh; KEEP=$(KEEP) python tools/demo.py

.PHONY: test
test: build  ## every check there is
	@$(CHECK)

.PHONY: lint
lint: bootstrap  ## ruff, mypy, yamllint, shellcheck, ansible-lint, ansible-test sanity
	@$(CHECK) lint

.PHONY: unit
unit: bootstrap  ## pure tests: unit, fuzz, simulation
	@$(CHECK) unit

.PHONY: integration
integration: agent  ## the agent in network namespaces
	@$(CHECK) integration

.PHONY: interop
interop: agent images  ## the agent beside the keepalived of Debian 11, 12 and 13
	@$(CHECK) interop

.PHONY: compat
compat: agent images  ## the same file and faults for keepalived and the agent in turn: what differs must be documented
	@$(CHECK) compat

.PHONY: vm
vm: agent  ## virtual servers on a kernel with ip_vs, in a virtual machine
	@$(CHECK) vm

.PHONY: molecule
molecule: images build  ## the scenarios of failover in containers: pairs, routers, web servers, load balancers
	@$(CHECK) molecule

.PHONY: images
images: bootstrap  ## the root filesystems and container images of the lab
	@tools/image $(SUITES) >/dev/null

.PHONY: agent
agent: bootstrap  ## build/vrrp-agent, one executable with pyroute2 inside
	@.venv/bin/python tools/build_agent.py

.PHONY: build
build: agent  ## the collection's galaxy artefact, in build/
	@tools/build

.PHONY: clean
clean:  ## remove what was built; the caches stay (make distclean)
	@tools/clean

.PHONY: distclean
distclean:  ## remove the caches, the virtual environment and the images too
	@tools/clean --all
