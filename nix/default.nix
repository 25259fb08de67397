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
      e2e = import ./e2e.nix { inherit pkgs environment; };
    in
    {
      packages = stack.packages // {
        inherit e2e;
        model = tools.model.package;
        temporal-cli = tools.temporal-cli.package;
        default = stack.packages.cli;
      } // import ./images.nix { inherit pkgs; inherit (stack) packages version; };
      devShells.default = import ./shell.nix { inherit pkgs environment; };
      apps = rec {
        e2e = { type = "app"; program = "${self.packages.${system}.e2e}/bin/stigmer-e2e-run"; };
        default = e2e;
      };
      checks = import ./checks.nix { inherit pkgs tools stack; src = self; };
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
