# What must hold of the flake itself: every tool is what its pin says and works, the Nix files are
# formatted, programs are there, and the stack builds.
{ pkgs, tools, stack, apps, src }:
let
  inherit (pkgs.lib) escapeShellArg escapeShellArgs;

  printsIn = check: command: "${command} | grep --fixed-strings ${escapeShellArg check.prints}";

  proof = tool:
    let check = tool.check; in
    {
      program = printsIn check "${tool.value} ${escapeShellArgs check.arguments}";
      python-archive = printsIn check "python3 ${tool.value}/${check.entry} ${escapeShellArgs check.arguments}";
      python-module = printsIn check
        "PYTHONPATH=${tool.value} python3 -B -c 'import ${check.module} as it; print(it.__version__)'";
      file = ''test "$(head -c ${toString (builtins.stringLength check.begins_with)} ${tool.value})" = ${escapeShellArg check.begins_with}'';
    }.${check.kind};

  works = name: tool: pkgs.runCommand "check-${name}" { nativeBuildInputs = [ pkgs.python3 ]; } ''
    ${proof tool}
    touch "$out"
  '';
in
builtins.mapAttrs works tools // {
  format = pkgs.runCommand "check-format" { nativeBuildInputs = [ pkgs.nixpkgs-fmt ]; } ''
    nixpkgs-fmt --check ${src}/flake.nix ${src}/nix
    touch "$out"
  '';
  apps = pkgs.runCommand "check-apps" { } ''
    ${builtins.concatStringsSep "\n" (pkgs.lib.mapAttrsToList (_: app: "test -x ${app.program}") apps)}
    touch "$out"
  '';
  workspace = stack.workspace;
}
