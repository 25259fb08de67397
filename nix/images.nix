# A container image for each long-running part: nothing but the part and what it links to, not root.
# Names, user, environment, and labels are those of the images that `cargo xtask images` makes.
{ pkgs, packages, version }:
let
  blueprint = builtins.fromJSON (builtins.readFile ./images.json);
  image =
    part:
    let
      inherit (blueprint.images.${part}) name program;
    in
    pkgs.dockerTools.buildLayeredImage {
      inherit name;
      tag = version;
      config = {
        Entrypoint = [ "${packages.${part}}/bin/${program}" ];
        Env = blueprint.env;
        Labels = blueprint.labels;
        User = blueprint.user;
      };
    };
in
pkgs.lib.optionalAttrs pkgs.stdenv.hostPlatform.isLinux {
  image-server = image "server";
  image-workflow-runner = image "workflow-runner";
  image-agent-runner = image "agent-runner";
}
