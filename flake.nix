{
  description = "End-to-end tests of the Stigmer stack, and the stack";

  # The revision is also in pins.json, with its hash; `cargo xtask pins verify` compares them.
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/65179426c83bb3f6bc14898b42ea1c6f01d374b0";

  outputs = { self, nixpkgs }: import ./nix { inherit self nixpkgs; };
}
