# What `cargo xtask` works with: programs on PATH, and the variables that hand over pinned tools.
{ pkgs, tools }:
{
  programs = [
    pkgs.cargo
    pkgs.rustc
    pkgs.clippy
    pkgs.rustfmt
    pkgs.stdenv.cc
    pkgs.python3
    pkgs.git
    pkgs.ollama
    pkgs.docker-client
    pkgs.docker-compose
    pkgs.nixpkgs-fmt
  ] ++ pkgs.lib.optionals pkgs.stdenv.hostPlatform.isLinux [ pkgs.chromium ];
  variables = pkgs.lib.mapAttrs' (_: tool: { name = tool.variable; inherit (tool) value; }) tools;
}
