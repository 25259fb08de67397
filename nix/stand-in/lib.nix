# The functions of nixpkgs' library that the flake uses, as their manual describes them.
rec {
  genAttrs = names: f: builtins.listToAttrs (map (name: { inherit name; value = f name; }) names);
  mapAttrsToList = f: set: map (name: f name set.${name}) (builtins.attrNames set);
  mapAttrs' = f: set: builtins.listToAttrs (mapAttrsToList f set);
  optionals = condition: list: if condition then list else [ ];
  optionalAttrs = condition: set: if condition then set else { };
  escapeShellArg = argument: "'${builtins.replaceStrings [ "'" ] [ "'\\''" ] (toString argument)}'";
  escapeShellArgs = arguments: builtins.concatStringsSep " " (map escapeShellArg arguments);
  makeBinPath = packages: builtins.concatStringsSep ":" (map (package: "${package}/bin") packages);
}
