def IN(source): any(source == .; .);
def IN(source; items): any(source == items; .);
def toboolean: if isboolean then . elif . == "true" then true elif . == "false" then false
  else error("cannot parse as boolean") end;
def transpose: . as $rows | [range(map(length) | max // 0) as $column | [$rows[][$column]]];
def in(container): . as $key | container | has($key);
def inside(container): . as $part | container | contains($part);
def index($part): indices($part) | .[0];
def rindex($part): indices($part) | .[-1:] | .[0];
def toarray: if isarray then . else [.] end;
def @json: tojson;
def tabular(f): map(if isarray or isobject then error("cannot format nested values") elif . == null then ""
  elif isstring then f else tostring end);
def @csv: tabular("\"" + gsub("\""; "\"\"") + "\"") | join(",");
def @tsv: tabular(gsub("\\\\"; "\\\\") | gsub("\t"; "\\t") | gsub("\n"; "\\n") | gsub("\r"; "\\r")) | join("\t");
