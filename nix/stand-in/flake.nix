{
  # Stands in for nixpkgs where that cannot be had: it has no more attributes than the flake uses, so
  # that a wrong one is found, and builds with the machine's own programs. `cargo xtask nix-check`
  # evaluates the flake with it, and builds what consists of pinned packages alone.
  description = "A stand-in for nixpkgs, for checking the flake without a binary cache";

  outputs = { self }:
    let
      systems = [ "x86_64-linux" "aarch64-linux" "x86_64-darwin" "aarch64-darwin" ];
      lib = import ./lib.nix;
    in
    {
      inherit lib;
      legacyPackages = lib.genAttrs systems (system: import ./packages.nix { inherit lib system; });
    };
}
