# A container image for each long-running part: nothing but the part and what it links to, not root.
{ pkgs, packages, version }:
let
  image = name: program: pkgs.dockerTools.buildLayeredImage {
    name = "stigmer/${name}";
    tag = version;
    config = {
      Entrypoint = [ "${packages.${name}}/bin/${program}" ];
      User = "65534:65534";
    };
  };
in
pkgs.lib.optionalAttrs pkgs.stdenv.hostPlatform.isLinux {
  image-server = image "server" "stigmer-server";
  image-workflow-runner = image "workflow-runner" "stigmer-workflow-runner";
  image-agent-runner = image "agent-runner" "stigmer-agent-runner";
}
