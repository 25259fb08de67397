# What the flake offers, for each system.
{ self, nixpkgs }:
let
  systems = [ "x86_64-linux" "aarch64-linux" "x86_64-darwin" "aarch64-darwin" ];
  onSystem = system:
    let
      pkgs = nixpkgs.legacyPackages.${system};
      tools = import ./tools.nix { inherit pkgs system; };
      stack = import ./stack.nix { inherit pkgs; src = self; };
      environment = import ./environment.nix { inherit pkgs tools; };
      # An app for each verb that needs more than a look at files.
      apps = nixpkgs.lib.genAttrs [ "e2e" "repro" ] (verb: {
        type = "app";
        program = "${import ./run.nix { inherit pkgs environment verb; }}/bin/cargo-xtask-${verb}";
      });
    in
    {
      packages = stack.packages // {
        model = tools.model.package;
        temporal-cli = tools.temporal-cli.package;
        default = stack.packages.cli;
      } // import ./images.nix { inherit pkgs; inherit (stack) packages version; };
      devShells.default = import ./shell.nix { inherit pkgs environment; };
      apps = apps // { default = apps.e2e; };
      checks = import ./checks.nix { inherit pkgs tools stack apps; src = self; };
      formatter = pkgs.nixpkgs-fmt;
    };
  perSystem = nixpkgs.lib.genAttrs systems onSystem;
in
builtins.mapAttrs (kind: _: builtins.mapAttrs (_: offered: offered.${kind}) perSystem) {
  packages = null;
  devShells = null;
  apps = null;
  checks = null;
  formatter = null;
}
