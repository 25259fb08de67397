# `nix run`: a verb of `cargo xtask` on the checkout it is started in, with the tools of this flake and
# without the network: crates come from the store, like everything else.
{ pkgs, environment, verb }:
let
  crates = pkgs.rustPlatform.importCargoLock { lockFile = ../Cargo.lock; };

  cargoConfig = pkgs.writeText "stigmer-e2e-cargo-config.toml" ''
    [source.crates-io]
    replace-with = "vendored-sources"

    [source.vendored-sources]
    directory = "${crates}"

    [net]
    offline = true
  '';

  export = name: value: "export ${name}=${pkgs.lib.escapeShellArg value}";
in
pkgs.writeShellScriptBin "cargo-xtask-${verb}" ''
  set -eu
  if [ ! -f pins.json ] || [ ! -d xtask ]; then
    echo "error: $PWD is no checkout of stigmer-e2e; start this in one" >&2
    exit 2
  fi
  for file in pins.json Cargo.lock; do
    case $file in
      pins.json) expected=${../pins.json} ;;
      Cargo.lock) expected=${../Cargo.lock} ;;
    esac
    if [ "$(cat "$file")" != "$(cat "$expected")" ]; then
      echo "error: $PWD/$file is not the one that this flake was made from; run the flake of this checkout: nix run ." >&2
      exit 97
    fi
  done
  export PATH=${pkgs.lib.makeBinPath environment.programs}:$PATH
  ${builtins.concatStringsSep "\n" (pkgs.lib.mapAttrsToList export environment.variables)}
  CARGO_HOME=''${XDG_CACHE_HOME:-$HOME/.cache}/stigmer-e2e/nix-cargo
  export CARGO_HOME
  mkdir -p "$CARGO_HOME"
  cp -f ${cargoConfig} "$CARGO_HOME/config.toml"
  chmod u+w "$CARGO_HOME/config.toml"
  # As CI runs it: cut off from every other machine where the system permits it, and nothing skipped.
  export CI="''${CI-true}"
  exec cargo xtask ${verb} "$@"
''
