# `nix develop`: everything that a run needs and that `cargo xtask doctor` asks for.
{ pkgs, environment }:
pkgs.mkShell ({
  name = "stigmer-e2e";
  packages = environment.programs;
} // environment.variables)
