"""The practice forge: real HTTP, real git, and a maintainer who reviews; on this machine only."""
